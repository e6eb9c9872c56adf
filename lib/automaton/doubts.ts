// A state whose last uses are unknown → all tokens that may have been used. Pure.

import { LONGEST_TOKEN } from '../spec/derive/derivation.js'
import type { KnockState, UsedToken } from '../spec/generated/state-types.js'
import type { ValidSpec } from '../spec/model/model.js'
import { kindOf } from './kinds/kinds.js'
import { knocksOf } from './knocks.js'
import type { Secrets } from './language/loads.js'

/**
 * Finds the tokens that are valid at a time and may have been used by then, if the clock is wrong
 * by at most `drift`. Those that the state has as used are left out.
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
    .flatMap(knocksOf)
    .flatMap((placed) =>
      (kindOf(placed.knock).doubt?.(placed, secrets, now) ?? []).map((token) => {
        return { door: placed.door.name, token, until }
      }),
    )
    .filter(({ door, token }) => !known.has(`${door} ${token}`))
}
