// The single port by rate: two packets, and a third from 3 to 5 s after the first. Pure.
import { asUdp, CROWD, cast, every, IPV6, merge, repeated, syns } from './traces.js'

const PORT = 22

/** Makes a trace of packets of one source at some times, each from a source port of its own. */
const hits = (...times: readonly number[]) => ({
  sent: `${times.length === 1 ? 'SYN' : 'SYNs'} at ${times.join(', ')} s`,
  packets: ({ a }: { readonly a: string }) => syns(a, PORT, times),
})

export const RATE_TRACES = cast([
  { name: 'the knock', ...hits(0, 1, 3.5), ours: '3.5 s' },
  { name: 'a slow knock', ...hits(0, 2.2, 4.5), ours: '4.5 s' },
  { name: 'and a second session', ...hits(0, 1, 3.5, 4.2), ours: '3.5 s, 4.2 s' },
  { name: 'too fast', ...hits(0, 1, 2.5), ours: 'no' },
  { name: 'too late', ...hits(0, 1, 5.5), ours: 'no' },
  { name: 'a hit too few', ...hits(0, 3.5), ours: 'no' },
  { name: 'one connection', ...hits(0), ours: 'no' },
  {
    name: 'too fast, and again',
    ...hits(0, 1, 2.5, 3.5),
    ours: 'no',
    why: 'a source that was too fast stays out for 5 s, and each packet restarts that time',
  },
  { name: 'too fast, and patient then', ...hits(0, 1, 2.5, 8, 9, 11.5), ours: '11.5 s' },
  {
    name: 'three hits at once',
    ...hits(0, 0.2, 0.4, 3.5),
    ours: 'no',
    why: 'the knock is two packets, and the third was too fast',
  },
  {
    name: 'two attempts, one after the other',
    ...hits(0, 2, 5.5, 6.5),
    ours: 'no',
    why: 'hits and connection belong to one attempt, which ends 5 s after its first packet',
  },
  {
    name: 'a connect() that waits',
    sent: 'one SYN, again at 1, 3.5 and 7 s',
    packets: ({ a }) => repeated(a, PORT, [0, 1, 3.5, 7]),
    isMany: true,
    ours: 'no',
    why: 'a retransmitted SYN is no knock',
  },
  {
    name: 'a client that tries again and again',
    ...hits(...every(0.9, 6.3).map((at) => Math.round(at * 10) / 10)),
    ours: 'no',
    why: 'the third packet was too fast, and each one after it restarts the penalty',
  },
  {
    name: 'a flood',
    sent: '10 SYNs a second for 10 s',
    packets: ({ a }) => syns(a, PORT, every(0.1, 10)),
    isMany: true,
    ours: 'no',
    why: 'each packet restarts the penalty, however long the flood lasts',
  },
  {
    name: 'hits of one source, connection of another',
    sent: 'A at 0 and 1 s, B at 3.5 s',
    packets: ({ a, b }) => merge(syns(a, PORT, [0, 1]), syns(b, PORT, [3.5])),
    ours: 'no',
  },
  {
    name: 'hits over UDP',
    sent: 'UDP at 0 and 1 s, a SYN at 3.5 s',
    packets: ({ a }) => merge(asUdp(syns(a, PORT, [0, 1])), syns(a, PORT, [3.5], 40000)),
    ours: 'no',
  },
  {
    name: 'in a crowd',
    sent: 'SYNs at 0 and 1 s; at 2 s one of each of 100 others; a SYN at 3.5 s',
    packets: ({ a, crowd }) =>
      merge(
        syns(a, PORT, [0, 1, 3.5]),
        crowd.flatMap((source) => syns(source, PORT, [2])),
      ),
    isAlone: true,
    ours: '3.5 s',
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
