// What was used, where the last uses are not known → the same with all that may have been used. Pure.

import type { KnockState, UsedToken } from '../spec/generated/state-types.js'
import { deriveToken, LONGEST_TOKEN, periodAt } from '../spec/model/derive.js'
import type { ValidSpec } from '../spec/model/model.js'
import { knocksOf } from './knocks.js'
import { range, type Secrets, secretOf } from './loads.js'

/**
 * The tokens that are good at a time and may have been used by then, with a clock that is off by `drift` at the most; but
 * for those that are known to be used.
 *
 * @param now - seconds since 1970.
 */
export function doubtedTokens(
  { doors }: ValidSpec,
  secrets: Secrets,
  { tokens }: Pick<KnockState, 'tokens'>,
  now: number,
): UsedToken[] {
  const known = new Set(tokens.map(({ door, token }) => `${door} ${token}`))
  const until = new Date(1000 * (now + LONGEST_TOKEN)).toISOString()
  return doors
    .flatMap((door) => knocksOf(door))
    .flatMap(({ door: { name }, knock }) => {
      if (knock.type !== 'token') return []
      const { users, period, drift } = knock
      const indices = range(periodAt(now - drift, period), periodAt(now + drift, period))
      return users.flatMap(({ secretFile }) => {
        const secret = secretOf(secrets, secretFile)
        return indices.map((index) => ({
          door: name,
          token: deriveToken(secret, name, index),
          until,
        }))
      })
    })
    .filter(({ door, token }) => !known.has(`${door} ${token}`))
}
