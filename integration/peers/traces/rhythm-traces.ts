// Open Sesamy's 1-2-3-4 in windows of 3 s, on the service's own port. Pure.
import type { Packet } from '../../../lib/simulate/packet.js'
import { asUdp, CROWD, cast, every, IPV6, merge, repeated, syns } from './traces.js'

export const WINDOW = 3
const PORT = 443
const SPACING = 0.05

/** Makes bursts of packets. By default each begins a window after the one before. */
function bursts(
  source: string,
  counts: string,
  times: readonly number[] = [...counts].map((_, index) => index * WINDOW),
): Packet[] {
  const all = [...counts].flatMap((count, burst) =>
    every(1, Number(count)).map((index) => (times[burst] as number) + index * SPACING),
  )
  return syns(source, PORT, all)
}

const connects = (source: string, ...times: readonly number[]) => syns(source, PORT, times, 40000)

/** Makes a trace in which one source sends bursts and then connects. */
const knock = (counts: string, ...times: readonly number[]) => ({
  sent: `${[...counts].join('-')}, connect at ${times.join(' and ')} s`,
  packets: ({ a }: { readonly a: string }) => merge(bursts(a, counts), connects(a, ...times)),
})

export const RHYTHM_TRACES = cast([
  { name: 'the knock', ...knock('1234', 10.5), ours: '10.5 s' },
  {
    name: 'the knock over UDP',
    sent: '1-2-3-4 over UDP, connect at 10.5 s',
    packets: ({ a }) => merge(asUdp(bursts(a, '1234')), connects(a, 10.5)),
    ours: 'yes',
  },
  {
    name: 'out of step a little',
    sent: '1-2-3-4 at 0, 3.5, 6 and 9.4 s, connect at 10.7 s',
    packets: ({ a }) => merge(bursts(a, '1234', [0, 3.5, 6, 9.4]), connects(a, 10.7)),
    ours: '10.7 s',
  },
  { name: 'two connections', ...knock('1234', 10.5, 11.3), ours: '10.5 s' },
  { name: 'too late', ...knock('1234', 13), ours: 'no' },
  {
    name: 'twice as fast',
    sent: '1-2-3-4 at 0, 1.5, 3 and 4.5 s, connect at 5.5 s',
    packets: ({ a }) => merge(bursts(a, '1234', [0, 1.5, 3, 4.5]), connects(a, 5.5)),
    ours: 'no',
  },
  {
    // At the service's own port no table can tell the first connection from a missing knock.
    name: 'one too few, then two connections in the fourth window',
    ...knock('1233', 10, 11),
    ours: '11 s',
  },
  {
    name: 'one too few, then two connections after it',
    ...knock('1233', 11.3, 11.6),
    ours: 'no',
    why: 'the fourth window has ended, so later packets are no part of the knock',
  },
  {
    name: 'one too few, then a connect() that waits',
    sent: '1-2-3-3, one SYN at 10 s, again at 11 s',
    packets: ({ a }) => merge(bursts(a, '1233'), repeated(a, PORT, [10, 11], 40000)),
    isMany: true,
    ours: 'no',
    why: 'a retransmitted SYN is no second connection',
  },
  { name: 'one too many', ...knock('1235', 10.5), ours: '9.2 s' },
  {
    name: 'one too many over UDP',
    sent: '1-2-3-5 over UDP, connect at 10.5 s',
    packets: ({ a }) => merge(asUdp(bursts(a, '1235')), connects(a, 10.5)),
    ours: 'no',
  },
  { name: 'one too many early on', ...knock('1334', 10.5), ours: 'no' },
  { name: 'backwards', ...knock('4321', 10.5), ours: 'no' },
  {
    name: 'all at once',
    sent: '10 SYNs at 0, connect at 1 s',
    packets: ({ a }) => merge(bursts(a, '91', [0, 0.45]), connects(a, 1)),
    ours: 'no',
  },
  {
    name: 'a steady client',
    sent: 'a SYN a second for 14 s',
    packets: ({ a }) => syns(a, PORT, every(1, 14)),
    isMany: true,
    ours: 'no',
  },
  {
    name: 'a flood',
    sent: '10 SYNs a second for 13 s',
    packets: ({ a }) => syns(a, PORT, every(0.1, 13)),
    isMany: true,
    ours: 'no',
  },
  {
    name: 'a connect() that waits',
    sent: 'one SYN, again at 1, 3 and 7 s',
    packets: ({ a }) => repeated(a, PORT, [0, 1, 3, 7]),
    isMany: true,
    ours: 'no',
  },
  {
    name: 'another source connects',
    sent: '1-2-3-4 from A, B connects at 10.5 s',
    packets: ({ a, b }) => merge(bursts(a, '1234'), connects(b, 10.5)),
    ours: 'no',
  },
  {
    name: 'in a crowd',
    sent: '1-2-3-4; at 9.7 s a SYN of each of 100 others; connect at 10.5 s',
    packets: ({ a, crowd }) =>
      merge(
        bursts(a, '1234'),
        crowd.flatMap((source) => syns(source, PORT, [9.7])),
        connects(a, 10.5),
      ),
    isAlone: true,
    ours: '10.5 s',
    why: CROWD,
  },
  {
    name: 'IPv6, no knock',
    sent: 'one SYN over IPv6',
    packets: ({ a6 }) => syns(a6, PORT, [0]),
    ours: 'no',
    why: IPV6,
  },
])
