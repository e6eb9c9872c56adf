// One packet with a token that works once: reading, checks, rules, loads and remarks. Pure.
import { carriedToken } from '../../../spec/derive/carrier.js'
import { LEAST_PERIOD, periodAt } from '../../../spec/derive/derivation.js'
import { deriveTokens } from '../../../spec/derive/derive.js'
import type { TokenKnock } from '../../../spec/generated/knock-types.js'
import { hoursBetween } from '../../../spec/hours/hours.js'
import { formatDuration } from '../../../spec/model/duration.js'
import type { Note, ValidToken, ValidUser } from '../../../spec/model/model.js'
import {
  readDuration,
  readKnockPort,
  readPause,
  readValue,
} from '../../../spec/model/read-values.js'
import type { Kind, PlacedKnock } from '../../language/kind.js'
import { type Loads, range, type Secrets, secretOf } from '../../language/loads.js'
import { tokensSet } from '../../language/names.js'
import { WELL_KNOWN } from './browser-ports.js'
import { checkTokens } from './check-token.js'
import { readUsers } from './read-users.js'
import { buildToken } from './token-program.js'

/** The default for `horizon`: a week. */
const DEFAULT_HORIZON = 7 * 86400

export const token: Kind<ValidToken, TokenKnock> = {
  read(written, origin, findings) {
    const { drift, horizon } = written
    const period = readDuration(written.period, `${origin}/period`, findings, LEAST_PERIOD)
    return [
      {
        type: 'token',
        origin,
        port: readKnockPort(written.port, `${origin}/port`, findings).port,
        carrier: readValue(written.carrier, `${origin}/carrier`, 'udp', findings),
        period,
        drift: readPause(drift, `${origin}/drift`, period, findings),
        horizon:
          horizon === undefined
            ? DEFAULT_HORIZON
            : readDuration(horizon, `${origin}/horizon`, findings),
        users: readUsers(written, `${origin}/users`, findings),
      },
    ]
  },
  check: checkTokens,
  stepsOf: ({ port, origin }) => [[{ protocol: 'udp', port }, `${origin}/port`]],
  lengthOf: () => 1,
  // Any packet there that is no token of the door is a wrong token.
  ownsPort: true,
  countsWrong: true,
  secretFilesOf: ({ users }) => users.map(({ secretFile }) => secretFile),
  load: (placed, secrets, now) => ({ tokens: tokensOf(placed, secrets, now) }),
  doubt({ door, knock: { users, period, drift, carrier } }, secrets, now) {
    const indices = range(periodAt(now - drift, period), periodAt(now + drift, period))
    return users.flatMap(({ secretFile }) => {
      const secret = secretOf(secrets, secretFile)
      return indices.flatMap((index) =>
        deriveTokens(secret, door.name, index).map((token) => carriedToken(carrier, token)),
      )
    })
  },
  worksOnce: () => true,
  usersOf: ({ users }) => users,
  profileOf: ([{ port, carrier, period }], secretFile) => ({
    token: {
      port: `udp/${port}`,
      ...(carrier !== 'udp' && { carrier }),
      secretFile,
      period: formatDuration(period),
    },
  }),
  notesOf: ({ origin, horizon, carrier, port, users }, { name }) => [
    {
      path: origin,
      message:
        `a token of ${name} opens from when it is loaded, so up to ` +
        `${formatDuration(horizon)} before its period (horizon): ` +
        'somebody with the secret, or with tokens made ahead, need not wait; a ' +
        'shorter horizon, loaded by knocklib run, limits that',
    },
    ...users.flatMap(({ hours }, index) =>
      hours ? [loadedBefore(`${origin}/users/${index}/hours`, horizon)] : [],
    ),
    ...(carrier === 'stun' && WELL_KNOWN.includes(port) ? [publicOnly(origin, port)] : []),
  ],
  build: buildToken,
}

const loadedBefore = (path: string, horizon: number): Note => ({
  path,
  message:
    'hours say which tokens there are, and each opens from when it is loaded: whoever makes one ' +
    `ahead can come up to ${formatDuration(horizon)} (horizon) before the hours begin`,
})

const publicOnly = (origin: string, port: number): Note => ({
  path: `${origin}/port`,
  message:
    `Chromium sends to udp/${port} only if the server has a public address; ` +
    'a port from 1024 on, such as udp/3478, has no such limit',
})

function tokensOf(
  { door: { name }, attempt, knock }: PlacedKnock<ValidToken>,
  secrets: Secrets,
  now: number,
): Loads['tokens'] {
  const { users, period, drift, horizon, carrier } = knock
  const first = periodAt(now - drift, period)
  const last = periodAt(now + horizon, period)
  return users.map((user, place) => {
    const secret = secretOf(secrets, user.secretFile)
    const { until: end = Number.POSITIVE_INFINITY } = user
    const tokens = periodsOf(user, period, first, last).flatMap((index) => {
      const until = Math.min((index + 1) * period + drift, end)
      return deriveTokens(secret, name, index).map((token) => {
        return { token: carriedToken(carrier, token), until }
      })
    })
    return {
      set: tokensSet(name, attempt, place + 1),
      tokens: tokens.filter(({ until }) => until > now),
      until: Math.min((last + 1) * period + drift, end),
    }
  })
}

/** The periods, from the first to the last, that begin when the user may come. */
function periodsOf(user: ValidUser, period: number, first: number, last: number): number[] {
  const { hours, until = Number.POSITIVE_INFINITY } = user
  const isInside = hours ? hoursBetween(hours, first * period, last * period) : () => true
  return range(first, last).filter((index) => {
    const begins = index * period
    return begins < until && isInside(begins)
  })
}
