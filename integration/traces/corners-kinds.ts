// Rare cases of rates, rhythms, tokens, one-time sequences and several knocks. Data only.

import { tokensAt } from '../oracle/oracle-secrets.js'
import { SECRETS } from '../random/arbitrary-knock.js'
import type { TimedCorner } from './corners-openings.js'

const A = { source: '10.99.0.1', destination: '10.77.0.1' } as const
const A_6 = { source: 'fd00:99::1', destination: 'fd00:77::1' } as const
const tcp = (port: number, sourcePort: number, after = 0) =>
  ({ ...A, protocol: 'tcp', port, sourcePort, after }) as const
const udp = (port: number) => ({ ...A, protocol: 'udp', port, sourcePort: 5 }) as const

const rate = { type: 'rate', port: 'tcp/7000', hits: 2, min: 1, max: 5 }
const door = (name: string, knock: unknown, parts: object = {}) => ({
  name,
  service: 'tcp/22',
  knock,
  open: { for: 60 },
  ...parts,
})

const TOKEN = {
  type: 'token',
  port: 'udp/7200',
  period: 60,
  horizon: 3600,
  users: [{ name: 'alice', secretFile: '/etc/knock/alice' }],
}
const TIMES = {
  type: 'token',
  origin: '',
  port: 7200,
  carrier: 'udp',
  period: 60,
  drift: 0,
  horizon: 0,
  users: [],
} as const
const token = (door: string, at: number) => ({
  ...udp(7200),
  payload: tokensAt(SECRETS, '/etc/knock/alice', door, TIMES, at)[0] ?? '',
})

export const KIND_CORNERS: readonly TimedCorner[] = [
  {
    name: 'a connection that waited from before the hits passes if it retransmits in time',
    doors: [door('a', rate)],
    packets: [tcp(22, 1), tcp(7000, 2), tcp(7000, 3), tcp(22, 1, 2)],
    verdicts: ['drop', 'drop', 'drop', 'accept'],
    counters: { knocks: 2, grants: 1, resets: 0, denied: 1 },
  },
  {
    name: 'a retransmission of a packet that was too early neither passes nor extends the penalty',
    doors: [door('a', { ...rate, penalty: 3 })],
    packets: [
      tcp(7000, 1),
      tcp(7000, 2),
      tcp(22, 3),
      tcp(22, 3, 1),
      tcp(22, 3, 1.5),
      tcp(7000, 4, 1),
      tcp(7000, 5),
      tcp(22, 6, 2),
    ],
    verdicts: ['drop', 'drop', 'drop', 'drop', 'drop', 'drop', 'drop', 'accept'],
    counters: { knocks: 4, grants: 1, resets: 1, denied: 3 },
  },
  {
    name: 'each retransmission of a SYN renews the memory of it',
    doors: [door('a', { type: 'rate', port: 'tcp/22', hits: 1, max: 90 })],
    packets: [tcp(22, 1), tcp(22, 1, 80), tcp(22, 1, 80), tcp(22, 2, 80), tcp(22, 2, 89)],
    verdicts: ['drop', 'drop', 'drop', 'drop', 'drop'],
    counters: { knocks: 2, grants: 0, denied: 0 },
  },
  {
    name: 'each packet of a penalised source restarts the penalty',
    doors: [door('a', { ...rate, penalty: 3 })],
    packets: [
      tcp(7000, 1),
      tcp(7000, 2),
      tcp(7000, 3),
      tcp(22, 4, 2),
      tcp(7000, 5, 2),
      tcp(7000, 6, 2),
      tcp(22, 7, 2),
    ],
    verdicts: ['drop', 'drop', 'drop', 'drop', 'drop', 'drop', 'drop'],
    counters: { knocks: 5, grants: 0, resets: 1, denied: 2 },
  },
  {
    name: 'a rate of one hit without a minimum time',
    doors: [door('a', { type: 'rate', port: 'tcp/22', hits: 1, max: 5 })],
    packets: [tcp(22, 1), tcp(22, 1, 1), tcp(22, 2), tcp(22, 3)],
    verdicts: ['drop', 'drop', 'accept', 'accept'],
    counters: { knocks: 2, grants: 1, denied: 0 },
  },
  {
    name: 'two rates wait for the same packet, and it counts for both until one lets it through',
    doors: [
      door('a', [
        { ...rate, min: 4, penalty: 9 },
        { ...rate, port: 'tcp/7001', min: 0 },
      ]),
    ],
    packets: [tcp(7000, 1), tcp(7000, 2), tcp(7001, 3), tcp(7001, 4), tcp(22, 5), tcp(22, 6)],
    verdicts: ['drop', 'drop', 'drop', 'drop', 'accept', 'accept'],
    counters: { knocks: 4, grants: 1, resets: 1, denied: 0 },
  },
  {
    name: 'a rhythm lets in one connection, or any number if the spec says so',
    doors: [
      door('a', { type: 'rhythm', port: 'tcp/7000', counts: [1, 1], window: 2 }),
      door(
        'b',
        { type: 'rhythm', port: 'tcp/7001', counts: [1, 1], window: 2 },
        {
          service: 'tcp/23',
          open: { for: 60, connections: 'any' },
        },
      ),
    ],
    packets: [
      tcp(7000, 1),
      tcp(7001, 2),
      tcp(7000, 3, 2),
      tcp(7001, 4),
      tcp(22, 5, 1),
      tcp(22, 6),
      tcp(23, 7),
      tcp(23, 8),
    ],
    verdicts: ['drop', 'drop', 'drop', 'drop', 'accept', 'drop', 'accept', 'accept'],
    counters: { knocks: 2, grants: 1, resets: 0, denied: 1 },
  },
  {
    name: 'other packets do not reset a timed knock, and its packets reset sequences',
    doors: [
      door('a', [rate, { type: 'sequence', steps: ['udp/7001', 'udp/7002'] }]),
      door(
        'b',
        { type: 'sequence', steps: ['udp/7001', 'udp/7003'], reset: 'knock-ports' },
        {
          service: 'tcp/23',
        },
      ),
    ],
    packets: [udp(7001), tcp(7000, 1), udp(7002), tcp(5000, 2), tcp(7000, 3), tcp(22, 4, 2)],
    verdicts: ['drop', 'drop', 'drop', 'accept', 'drop', 'accept'],
    counters: { knocks: 4, grants: 1, resets: 1 },
  },
  {
    name: 'a one-time sequence opens once, over either family',
    doors: [door('a', { type: 'sequence', oneTime: [['udp/7000', 'udp/7001'], ['udp/7002']] })],
    packets: [
      udp(7000),
      udp(7001),
      { ...udp(7000), ...A_6 },
      { ...udp(7001), ...A_6 },
      { ...tcp(22, 1), ...A_6 },
      { ...udp(7002), ...A_6 },
      { ...tcp(22, 2), ...A_6 },
      udp(7002),
    ],
    verdicts: ['drop', 'drop', 'drop', 'drop', 'drop', 'drop', 'accept', 'drop'],
    counters: { knocks: 6, grants: 2, resets: 2, denied: 1 },
  },
  {
    name: 'a token opens its own door once, and a wrong token opens none',
    doors: [door('a', TOKEN), door('b', { ...TOKEN, port: 'udp/7201' }, { service: 'tcp/23' })],
    packets: [
      { ...token('a', 0), payload: `${token('a', 0).payload}00` },
      token('a', 0),
      tcp(22, 1),
      tcp(23, 2),
      { ...token('a', 0), ...A_6 },
      { ...token('a', 60), ...A_6 },
      { ...tcp(22, 3), ...A_6 },
    ],
    verdicts: ['drop', 'drop', 'accept', 'drop', 'drop', 'drop', 'accept'],
    counters: { knocks: 2, grants: 2, wrong: 2, denied: 0 },
  },
  {
    name: 'a token is accepted until its drift is over',
    doors: [door('a', { ...TOKEN, drift: 5 })],
    packets: [
      { ...token('a', 0), after: 64 },
      { ...token('a', 60), after: 62, ...A_6 },
    ],
    verdicts: ['drop', 'drop'],
    counters: { knocks: 1, grants: 1, wrong: 1 },
  },
]
