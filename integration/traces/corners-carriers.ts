// Rare cases of tokens that browsers and name servers' clients send. Data only.

import { tokensAt } from '../oracle/oracle-secrets.js'
import { SECRETS } from '../random/arbitrary-knock.js'
import { datagram } from '../random/arbitrary-token.js'
import type { TimedCorner } from './corners-openings.js'

const A = { source: '10.99.0.1', destination: '10.77.0.1' } as const
const B = { source: '10.99.0.2', destination: '10.77.0.1' } as const
const A_6 = { source: 'fd00:99::1', destination: 'fd00:77::1' } as const
const tcp = (sourcePort: number, after = 0) =>
  ({ ...A, protocol: 'tcp', port: 22, sourcePort, after }) as const

type Own = 'udp' | 'stun' | 'dns'

const door = (carrier: Own, open: object = { for: 60 }) => ({
  name: 'a',
  service: 'tcp/22',
  knock: {
    type: 'token',
    port: 'udp/7200',
    carrier,
    period: 60,
    horizon: 3600,
    users: [{ name: 'alice', secretFile: '/etc/knock/alice' }],
  },
  open,
})

/** A datagram with a half of the token of a time. `number`: of the transaction. */
function token(carrier: Own, at: number, { family = 4, number = 1, after = 0, by = carrier } = {}) {
  const times = { origin: '', port: 7200, period: 60, drift: 0, horizon: 0, users: [] } as const
  const knock = { ...times, type: 'token', carrier } as const
  const [four = '', six = ''] = tokensAt(SECRETS, '/etc/knock/alice', 'a', knock, at)
  const payload = datagram(by, family === 4 ? four : six, number)
  const place = family === 4 ? A : A_6
  return { ...place, protocol: 'udp', port: 7200, sourcePort: 5 + number, payload, after } as const
}

/** Whoever strikes twice is banned, so that a strike shows. */
const guard = { ban: { after: 2, within: 600, for: 600 } }

const again = (carrier: Own, ...afters: number[]) =>
  afters.map((after, index) => token(carrier, 0, { number: 2 + index, after }))

/** More sources than can be noted for a user, each with a token of its own: period after period. */
const CROWD = 70
const crowd = (carrier: Own) =>
  Array.from({ length: CROWD }, (_, number) => {
    const place = { source: `10.99.1.${number + 1}`, destination: A.destination }
    const family = number % 2 === 0 ? 4 : 6
    return { ...token(carrier, 60 * Math.floor(number / 2), { family, number }), ...place }
  })

const drops = (count: number) => Array.from({ length: count }, () => 'drop' as const)

export const CARRIER_CORNERS: readonly TimedCorner[] = [
  ...(['udp', 'stun', 'dns'] as const).map((carrier): TimedCorner => {
    const last = `10.99.1.${CROWD}`
    return {
      name: `${carrier}: a user at more sources than can be noted: each is let in and logged`,
      doors: [door(carrier)],
      guard,
      packets: [...crowd(carrier), { ...tcp(1), source: last }],
      verdicts: [...drops(CROWD), 'accept'],
      counters: { knocks: CROWD, grants: CROWD, wrong: 0 },
    }
  }),
  ...(['stun', 'dns'] as const).flatMap((carrier): TimedCorner[] => [
    {
      name: `${carrier}: what goes on after the last connection is no more than a duplicate`,
      doors: [door(carrier, { for: 60, connections: 1 })],
      guard,
      packets: [token(carrier, 0), tcp(1), ...again(carrier, 0, 1, 1), tcp(2)],
      verdicts: ['drop', 'accept', ...drops(4)],
      counters: { knocks: 1, grants: 1, wrong: 0, denied: 1 },
    },
    {
      name: `${carrier}: nor after the end of the grant; after a minute it is wrong, and no strike`,
      doors: [door(carrier, { for: 2 })],
      guard,
      packets: [
        token(carrier, 0),
        ...again(carrier, 5, 10, 15),
        ...again(carrier, 31, 0, 0),
        token(carrier, 120),
        tcp(1),
      ],
      verdicts: [...drops(8), 'accept'],
      counters: { knocks: 2, grants: 2, wrong: 3 },
    },
    {
      name: `${carrier}: what another source used is wrong, and no strike`,
      doors: [door(carrier)],
      guard,
      packets: [
        token(carrier, 0),
        ...again(carrier, 0, 0, 0).map((packet) => ({ ...packet, ...B })),
        { ...token(carrier, 60), ...B },
        { ...tcp(1), ...B },
      ],
      verdicts: [...drops(5), 'accept'],
      counters: { knocks: 2, grants: 2, wrong: 3 },
    },
    {
      name: `${carrier}: both halves open, each once`,
      doors: [door(carrier)],
      guard,
      packets: [
        token(carrier, 0),
        token(carrier, 0, { family: 6 }),
        tcp(1),
        { ...tcp(2), ...A_6 },
        { ...token(carrier, 0, { family: 6 }), ...B },
      ],
      verdicts: ['drop', 'drop', 'accept', 'accept', 'drop'],
      counters: { knocks: 2, grants: 2, wrong: 1 },
    },
    {
      name: `${carrier}: the token in a packet of another carrier is a strike`,
      doors: [door(carrier)],
      guard,
      packets: [
        token(carrier, 0, { by: 'udp' }),
        token(carrier, 0, { by: carrier === 'stun' ? 'dns' : 'stun' }),
        token(carrier, 0),
        tcp(1),
      ],
      verdicts: drops(4),
      counters: { knocks: 0, grants: 0, wrong: 2, denied: 1 },
    },
  ]),
  {
    name: 'dns: a question for another name is wrong, and no strike',
    doors: [door('dns')],
    guard,
    packets: [
      ...[1, 2, 3].map((number) => ({
        ...token('dns', 0),
        payload: datagram('dns', '31', number, '0130023737023130'),
      })),
      token('dns', 0),
      tcp(1),
    ],
    verdicts: [...drops(4), 'accept'],
    counters: { knocks: 1, grants: 1, wrong: 3 },
  },
  {
    name: 'dns: a guess is a strike, and so is what is no question',
    doors: [door('dns')],
    guard,
    packets: [
      { ...token('dns', 0), payload: datagram('dns', '61'.repeat(16), 1) },
      { ...token('dns', 0), payload: '00'.repeat(40) },
      token('dns', 0),
      tcp(1),
    ],
    verdicts: drops(4),
    counters: { knocks: 0, grants: 0, wrong: 2, denied: 1 },
  },
]
