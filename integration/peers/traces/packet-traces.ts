// One packet to a port of its own, and the service for 5 s. Pure.
import type { Packet } from '../../../lib/simulate/packet.js'
import { asUdp, CROWD, cast, IPV6, merge, repeated, syns } from './traces.js'

const [KNOCK, SERVICE] = [1000, 22]

const knocks = (source: string, ...times: readonly number[]) => syns(source, KNOCK, times)
const connects = (source: string, ...times: readonly number[]) =>
  syns(source, SERVICE, times, 40000)

const withFlags = (packets: readonly Packet[], flags: number): Packet[] =>
  packets.map((packet) => ({ ...packet, flags }))
const ACK = 0x10

export const PACKET_TRACES = cast([
  {
    name: 'the knock',
    sent: 'knock at 0, connect at 1 s',
    packets: ({ a }) => merge(knocks(a, 0), connects(a, 1)),
    ours: 'yes',
  },
  {
    name: 'no knock',
    sent: 'connect at 0',
    packets: ({ a }) => connects(a, 0),
    ours: 'no',
  },
  {
    name: 'too late',
    sent: 'knock at 0, connect at 6 s',
    packets: ({ a }) => merge(knocks(a, 0), connects(a, 6)),
    ours: 'no',
  },
  {
    name: 'two sessions',
    sent: 'knock at 0, connect at 1 and 4 s',
    packets: ({ a }) => merge(knocks(a, 0), connects(a, 1, 4)),
    ours: '1 s, 4 s',
  },
  {
    name: 'another source',
    sent: 'A knocks at 0, B connects at 1 s',
    packets: ({ a, b }) => merge(knocks(a, 0), connects(b, 1)),
    ours: 'no',
  },
  {
    name: 'the knock renewed',
    sent: 'knock at 0 and 4 s, connect at 8 s',
    packets: ({ a }) => merge(knocks(a, 0, 4), connects(a, 8)),
    ours: 'yes',
  },
  {
    name: 'a knock that waits',
    sent: 'one SYN as knock, again at 1, 3 and 7 s; connect at 9 s',
    packets: ({ a }) => merge(repeated(a, KNOCK, [0, 1, 3, 7]), connects(a, 9)),
    ours: 'no',
    why:
      'a retransmitted SYN is no knock, so the door is open for 5 s, and not for as ' +
      'long as telnet hangs',
  },
  {
    name: 'a connection before the knock',
    sent: 'one SYN to the service at 0, again at 1 and 3 s; knock at 2 s',
    packets: ({ a }) => merge(repeated(a, SERVICE, [0, 1, 3], 40000), knocks(a, 2)),
    isMany: true,
    ours: 'yes',
  },
  {
    name: 'a stray ACK',
    sent: 'an ACK as knock at 0, connect at 1 s',
    packets: ({ a }) => merge(withFlags(knocks(a, 0), ACK), connects(a, 1)),
    ours: 'no',
    why: 'only a packet that starts a connection is a knock, unless the step says otherwise',
  },
  {
    name: 'a knock over UDP',
    sent: 'UDP to the knock port at 0, connect at 1 s',
    packets: ({ a }) => merge(asUdp(knocks(a, 0)), connects(a, 1)),
    ours: 'no',
  },
  {
    name: 'a scan',
    sent: 'SYNs to 990 to 1010 at 0, connect at 1 s',
    packets: ({ a }) => {
      const ports = Array.from({ length: 21 }, (_, index) => 990 + index)
      return merge(
        ports.flatMap((port) => syns(a, port, [0], 30000 + port)),
        connects(a, 1),
      )
    },
    ours: 'yes',
  },
  {
    name: 'in a crowd',
    sent: 'knock at 0; at 0.5 s one of each of 100 others; connect at 1.5 s',
    packets: ({ a, crowd }) =>
      merge(
        knocks(a, 0),
        crowd.flatMap((source) => knocks(source, 0.5)),
        connects(a, 1.5),
      ),
    isAlone: true,
    ours: 'yes',
    why: CROWD,
  },
  {
    name: 'the knock over IPv6',
    sent: 'knock at 0, connect at 1 s, both over IPv6',
    packets: ({ a6 }) => merge(knocks(a6, 0), connects(a6, 1)),
    ours: 'yes',
  },
  {
    name: 'IPv6, no knock',
    sent: 'connect over IPv6',
    packets: ({ a6 }) => connects(a6, 0),
    ours: 'no',
    why: IPV6,
  },
])
