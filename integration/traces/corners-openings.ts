// Rare cases of openings, hooks and bans. Data only.
import type { Corner } from './corners.js'

/** A case whose packets can have pauses and whose table can have another hook. */
export interface TimedCorner extends Omit<Corner, 'packets'> {
  /** Other parts of the spec. */
  readonly spec?: object
  readonly packets: readonly (Corner['packets'][number] & { readonly after?: number })[]
}

const A = { source: '10.99.0.1', destination: '10.77.0.1' } as const
const B = { source: '10.99.0.2', destination: '10.77.0.1' } as const
const C_6 = { source: 'fd00:99::3', destination: 'fd00:77::1' } as const
const tcp = (port: number, sourcePort: number) =>
  ({ ...A, protocol: 'tcp', port, sourcePort }) as const
const udp = (port: number) => ({ ...A, protocol: 'udp', port, sourcePort: 5 }) as const
const known = (port: number, flags = 0x10) =>
  ({ ...tcp(port, 9), flags, state: 'established' }) as const

const sequence = (...steps: string[]) => ({ type: 'sequence', steps, stepTimeout: 30 })
const door = (name: string, knock: object, open: object = {}, parts: object = {}) => ({
  name,
  service: 'tcp/22',
  knock,
  open: { for: 60, ...open },
  ...parts,
})

export const OPENING_CORNERS: readonly TimedCorner[] = [
  {
    name: 'open for everyone: over both families, until any source closes',
    doors: [
      door('a', sequence('udp/7000'), { scope: 'everyone' }, { close: sequence('udp/7001') }),
    ],
    packets: [
      tcp(22, 1),
      udp(7000),
      { ...tcp(22, 2), ...B },
      { ...tcp(22, 3), ...C_6 },
      { ...udp(7001), ...C_6 },
      tcp(22, 4),
    ],
    verdicts: ['drop', 'drop', 'accept', 'accept', 'drop', 'drop'],
    counters: { knocks: 2, grants: 1, denied: 2 },
  },
  {
    name: 'two doors before one service: the second judges what the first denies',
    doors: [
      door('a', sequence('udp/7000')),
      door('b', sequence('udp/7001', 'udp/7002'), { scope: 'everyone' }),
    ],
    packets: [tcp(22, 1), udp(7001), udp(7002), { ...tcp(22, 2), ...B }, udp(7000), tcp(22, 3)],
    verdicts: ['drop', 'drop', 'drop', 'accept', 'drop', 'accept'],
    counters: { knocks: 1, grants: 1, denied: 2 },
  },
  {
    name:
      'a counted SYN that is sent again is dropped, and no other door before the ' +
      'service is asked',
    doors: [
      door('a', sequence('udp/7000'), { connections: 2 }),
      door('b', sequence('udp/7001'), { scope: 'everyone' }),
    ],
    packets: [udp(7000), tcp(22, 1), tcp(22, 1), udp(7001), tcp(22, 1), tcp(22, 2), tcp(22, 3)],
    verdicts: ['drop', 'accept', 'drop', 'drop', 'drop', 'accept', 'accept'],
    counters: { knocks: 1, grants: 1, closes: 1, denied: 1 },
  },
  {
    name: 'connections that need a live grant are cut when it ends',
    doors: [
      door('a', sequence('udp/7000'), { established: 'cut' }, { close: sequence('udp/7001') }),
    ],
    guard: { trusted: ['10.99.0.2'] },
    packets: [
      known(22),
      { ...known(22), isReply: true },
      { ...known(22), ...B },
      known(22, 0x14),
      udp(7000),
      known(22),
      udp(7001),
      known(22),
    ],
    verdicts: ['drop', 'accept', 'accept', 'accept', 'drop', 'accept', 'drop', 'drop'],
    counters: { grants: 1, denied: 2 },
  },
  {
    name: 'a grant redirects its source, and other sources reach the public service',
    doors: [door('a', sequence('udp/7000', 'udp/7001'), { redirectTo: 9000 })],
    guard: { trusted: ['10.99.0.2'] },
    packets: [
      tcp(22, 1),
      tcp(9000, 2),
      udp(7000),
      tcp(22, 3),
      udp(7001),
      tcp(22, 4),
      tcp(9000, 5),
      { ...tcp(9000, 6), ...B },
    ],
    verdicts: ['accept', 'drop', 'drop', 'accept', 'drop', 'accept', 'drop', 'accept'],
    counters: { knocks: 2, grants: 1, resets: 0, denied: 2 },
  },
  {
    name: 'a trusted source reaches the public service and uses no grant',
    doors: [door('a', sequence('udp/7000'), { redirectTo: 9000, connections: 1 })],
    guard: { trusted: ['10.99.0.1'] },
    packets: [udp(7000), tcp(22, 1), udp(7000), tcp(22, 2)],
    verdicts: ['drop', 'accept', 'drop', 'accept'],
    counters: { knocks: 2, grants: 2, denied: 0 },
  },
  {
    name: 'a ban ignores knocks, and leaves grants in force',
    doors: [
      door('a', sequence('udp/7000')),
      door('b', sequence('udp/7001', 'udp/7002', 'udp/7003')),
    ].map((candidate, index) => (index === 1 ? { ...candidate, service: 'tcp/23' } : candidate)),
    guard: { ban: { after: 2, within: 10, for: 20 } },
    packets: [
      udp(7000),
      ...[1, 2].flatMap(() => [udp(7001), udp(7003)]),
      udp(7000),
      tcp(22, 3),
      ...[{ ...udp(7001), after: 21 }, udp(7002), udp(7003)],
      tcp(23, 4),
    ],
    verdicts: [
      ...new Array<'drop'>(6).fill('drop'),
      'accept',
      ...new Array<'drop'>(3).fill('drop'),
      'accept',
    ],
    counters: { knocks: 1, grants: 1, resets: 0 },
  },
  {
    name: 'strikes are counted from zero if the first is too old',
    doors: [door('a', sequence('udp/7000', 'udp/7001', 'udp/7002'))],
    guard: { ban: { after: 3, within: 10, for: 20 } },
    packets: [...[0, 9, 2, 1].flatMap((after) => [{ ...udp(7000), after }, udp(7002)]), udp(7000)],
    verdicts: new Array<'drop'>(9).fill('drop'),
    counters: { knocks: 9, resets: 4 },
  },
  {
    name: 'a packet to an ordinary port is no strike',
    doors: [
      door('a', [
        sequence('udp/7000', 'udp/7001'),
        { type: 'rate', port: 'udp/7002', hits: 1, min: 5, max: 9 },
      ]),
    ],
    guard: { ban: { after: 1, within: 10, for: 20 } },
    packets: [
      ...[udp(7000), tcp(5000, 1)],
      ...[udp(7000), udp(5000)],
      ...[udp(7002), tcp(22, 2)],
      ...[udp(7000), udp(7001), tcp(22, 3)],
    ],
    verdicts: ['drop', 'accept', 'drop', 'accept', 'drop', 'drop', 'drop', 'drop', 'accept'],
    counters: { knocks: 5, grants: 1, resets: 3 },
  },
  {
    name: 'at the hook forward the connections of the host behind are not known',
    doors: [door('a', sequence('udp/7000'), {}, { address: '10.77.0.1' })],
    spec: { hook: 'forward' },
    packets: [{ ...tcp(22, 1), flags: 0x10, connected: true }, known(22), udp(7000), tcp(22, 2)],
    verdicts: ['drop', 'accept', 'drop', 'accept'],
    counters: { knocks: 1, grants: 1, denied: 1 },
  },
  ...(['prerouting', 'ingress'] as const).map(
    (hook): TimedCorner => ({
      name: `without conntrack, at ${hook}, only SYNs start a connection`,
      doors: [door('a', sequence('udp/7000', 'tcp/7001'), { connections: 2 })],
      spec: { hook, interfaces: ['eth0'] },
      packets: [
        tcp(22, 1),
        { ...tcp(22, 2), flags: 0x10 },
        udp(7000),
        udp(5000),
        { ...tcp(7001, 3), flags: 0x10 },
        tcp(7001, 4),
        tcp(22, 5),
        tcp(22, 5),
        tcp(22, 6),
      ].map((packet) => ({ ...packet, interface: 'eth0' })),
      verdicts: ['drop', 'accept', 'drop', 'accept', 'accept', 'drop', 'accept', 'drop', 'accept'],
      counters: { knocks: 2, grants: 1, resets: 0, denied: 1 },
    }),
  ),
]
