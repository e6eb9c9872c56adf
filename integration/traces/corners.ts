// Rare cases: specs and packets, with the verdicts and counters that are expected. Data only.
import type { Packet } from '../../lib/simulate/packet.js'
import type { Verdict } from '../oracle/oracle.js'
import type { Counters } from '../oracle/oracle-door.js'

export interface Corner {
  readonly name: string
  readonly doors: readonly object[]
  readonly guard?: object
  /** The packets in order, each a moment after the one before. */
  readonly packets: readonly (Omit<Packet, 'at'> & { readonly destination: string })[]
  readonly verdicts: readonly Verdict[]
  /** The expected counters of the first door, as far as they matter. */
  readonly counters: Partial<Counters>
}

const FIRST = { source: '10.99.0.1', destination: '10.77.0.1' } as const
const OTHER = { source: '10.99.0.1', destination: '10.77.0.3' } as const
const FIRST_6 = { source: 'fd00:99::1', destination: 'fd00:77::1' } as const

const ping = { protocol: 'icmp', length: 0 } as const
const udp = (port: number, length = 0) =>
  ({ protocol: 'udp', port, length, sourcePort: 5 }) as const
const tcp = (port: number, sourcePort: number, flags = 0x02) =>
  ({ protocol: 'tcp', port, sourcePort, flags }) as const

const door = (name: string, steps: readonly unknown[], parts: object = {}) => ({
  name,
  service: 'tcp/22',
  knock: { type: 'sequence', steps, stepTimeout: 30 },
  open: { for: 60 },
  ...parts,
})

const raw = (protocol: number, sourcePort: number) => ({ protocol, sourcePort }) as const
/** Other protocols: VRRP, OSPF, ESP, GRE, IPIP, 6in4, IGMP. */
const OTHERS = [112, 89, 50, 47, 4, 41, 2]

export const CORNERS: readonly Corner[] = [
  {
    name: 'a packet that matches several steps of a door counts once',
    doors: [door('a', ['udp/7000', { protocol: 'udp', port: 7000, length: 10 }])],
    packets: [
      { ...FIRST, ...udp(7000, 10) },
      { ...FIRST, ...udp(7000, 10) },
    ],
    verdicts: ['drop', 'drop'],
    counters: { knocks: 2, grants: 1, resets: 0 },
  },
  {
    name: 'a step that conntrack calls invalid counts as a knock and resets nothing',
    doors: [
      door('a', ['udp/7000', { protocol: 'tcp', port: 7001, flags: 'fin,!syn' }]),
      door('b', ['udp/7000', 'udp/7002'], { service: 'tcp/23' }),
    ],
    packets: [
      { ...FIRST, ...udp(7000) },
      { ...FIRST, ...tcp(7001, 1, 0x01), state: 'invalid' },
      { ...FIRST, ...udp(7002) },
      { ...FIRST, ...tcp(22, 2) },
      { ...FIRST, ...tcp(23, 3) },
    ],
    verdicts: ['drop', 'drop', 'drop', 'accept', 'accept'],
    counters: { knocks: 2, grants: 1 },
  },
  {
    name: 'each of two hosts that appear closed refuses pings to its own address',
    doors: [
      door('a', ['tcp/7000'], { service: 'any', address: '10.77.0.1' }),
      door('b', ['tcp/7000'], { service: 'any', address: '10.77.0.3' }),
    ],
    packets: [
      { ...FIRST, ...ping, sourcePort: 1 },
      { ...OTHER, ...ping, sourcePort: 2 },
      { ...FIRST, ...tcp(7000, 3) },
      { ...FIRST, ...ping, sourcePort: 4 },
      { ...OTHER, ...ping, sourcePort: 5 },
    ],
    verdicts: ['drop', 'drop', 'drop', 'accept', 'drop'],
    counters: { denied: 1 },
  },
  {
    name: 'a ping to an address without a door resets attempts like any packet',
    doors: [
      door('a', ['udp/7000', 'udp/7001']),
      door('b', ['udp/7002'], { service: 'any', address: '10.77.0.3' }),
    ].map((candidate, index) => (index === 0 ? { ...candidate, address: '10.77.0.1' } : candidate)),
    packets: [
      { ...FIRST, ...udp(7000) },
      { ...FIRST, ...ping, sourcePort: 1 },
      { ...FIRST, ...udp(7001) },
    ],
    verdicts: ['drop', 'accept', 'drop'],
    counters: { knocks: 2, grants: 0, resets: 1 },
  },
  {
    name: 'each ping is a connection of its own',
    doors: [door('a', ['udp/7000'], { service: 'any', open: { for: 60, connections: 2 } })],
    packets: [
      { ...FIRST, ...udp(7000) },
      ...[1, 2, 3].map((sourcePort) => ({ ...FIRST, ...ping, sourcePort })),
    ],
    verdicts: ['drop', 'accept', 'accept', 'drop'],
    counters: { knocks: 1, grants: 1, denied: 1 },
  },
  {
    name: 'a door with the service any lets pass what is not TCP, UDP or a ping',
    doors: [door('a', ['udp/7000'], { service: 'any' })],
    packets: [
      ...OTHERS.map((protocol, index) => ({ ...FIRST, ...raw(protocol, index) })),
      ...OTHERS.map((protocol, index) => ({ ...FIRST_6, ...raw(protocol, index) })),
      { ...FIRST, ...tcp(22, 1) },
      { ...FIRST_6, ...udp(22) },
      { ...FIRST_6, ...ping, sourcePort: 2 },
    ],
    verdicts: [...OTHERS, ...OTHERS].map(() => 'accept' as Verdict).concat('drop', 'drop', 'drop'),
    counters: { denied: 3 },
  },
  {
    name: 'only a named protocol is judged',
    doors: [
      door('a', ['udp/7000'], { service: ['protocol/vrrp', 'protocol/4'] }),
      door('b', ['udp/7001'], { service: 'protocol/gre', address: '10.77.0.3' }),
      door('c', ['udp/7002'], { service: 'any' }),
    ],
    packets: [
      ...[112, 4, 89, 47].map((protocol) => ({ ...FIRST, ...raw(protocol, 1) })),
      { ...OTHER, ...raw(47, 2) },
      ...[112, 4, 89].map((protocol) => ({ ...FIRST_6, ...raw(protocol, 3) })),
      { ...FIRST, ...udp(7000) },
      ...[112, 4].map((protocol) => ({ ...FIRST, ...raw(protocol, 4) })),
      { ...FIRST_6, ...raw(112, 5) },
      { ...FIRST, ...tcp(22, 6) },
    ],
    verdicts: [
      ...(['drop', 'drop', 'accept', 'accept'] as const),
      ...(['drop', 'drop', 'drop', 'accept'] as const),
      ...(['drop', 'accept', 'accept', 'drop', 'drop'] as const),
    ],
    counters: { knocks: 1, grants: 1, denied: 5 },
  },
  {
    name: 'an IPv6 step does not match over IPv4',
    doors: [door('a', ['icmpv6'])],
    packets: [
      { ...FIRST, ...ping, sourcePort: 1 },
      { ...FIRST_6, ...ping, sourcePort: 2 },
      { ...FIRST, ...tcp(22, 3) },
      { ...FIRST_6, ...tcp(22, 4) },
    ],
    verdicts: ['accept', 'drop', 'drop', 'accept'],
    counters: { knocks: 1, grants: 1, resets: 0, denied: 1 },
  },
]
