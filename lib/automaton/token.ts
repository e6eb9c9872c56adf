// Tokens, each of which works once → the knock's program: nothing is stored for who sends a wrong one. Pure.
import { LONGEST_TOKEN, TOKEN_LENGTH } from '../spec/derive.js'
import type { ValidToken } from '../spec/model.js'
import {
  add,
  claim,
  count,
  inSet,
  type Match,
  notInSet,
  RETURN,
  type Rule,
  remove,
} from './automaton.js'
import { counterName, grantsSet, lockSet, spentTokensSet, tokensSet } from './names.js'
import type { KnockContext, KnockProgram } from './program.js'

const TOKEN = ['token'] as const
const isToken: Match = { kind: 'length', of: 'udp', length: TOKEN_LENGTH }

/** Seconds within which two packets come at once; after that the token is known to be used. */
const AT_ONCE = 60

/** The most used tokens that a door remembers; full, it accepts no more. */
const MOST_SPENT = 1_048_576

export function buildToken(token: ValidToken, context: KnockContext): KnockProgram {
  const { door, attempt } = context
  const perUser = tokensAhead(token)
  const sets = token.users.map((_, user) => tokensSet(door.name, attempt, user + 1))
  const spent = spentTokensSet(door.name)
  const lock = lockSet(door.name, attempt)
  return {
    door,
    attempt,
    origin: token.origin,
    sets: [
      // Twice as many as there are: what expires keeps its place for a while.
      ...sets.map((name) => ({ name, key: TOKEN, capacity: 2 * perUser })),
      { name: lock, key: TOKEN, timeout: AT_ONCE, capacity: 2 * perUser * sets.length },
      // The same for all specs, so that what has been used stays so with another: longer than any token is taken.
      { name: spent, key: TOKEN, timeout: LONGEST_TOKEN, capacity: MOST_SPENT },
    ],
    endpoints: [
      {
        port: { protocol: 'udp', port: token.port },
        packets: [],
        rules: tokenRules(token, context, { sets, spent, lock }),
        invalidPackets: [],
        invalidRules: [],
      },
    ],
    wipe: [],
    reset: 'never',
    gap: 0,
    lasts: 0,
  }
}

/** The most tokens of one user that are valid at a time. */
export const tokensAhead = ({ horizon, drift, period }: ValidToken): number =>
  Math.ceil((horizon + drift) / period) + 2

interface TokenSets {
  /** The users' tokens. */
  readonly sets: readonly string[]
  readonly spent: string
  readonly lock: string
}

function tokenRules(
  { users, origin }: ValidToken,
  { door: { name }, complete, strike }: KnockContext,
  { sets, spent, lock }: TokenSets,
): Rule[] {
  const comment = (purpose: string) => `${name} ${origin} ${purpose}`
  const accept = users.map((user, index): Rule => {
    const set = sets[index] as string
    return {
      when: [isToken, inSet(set), notInSet(spent)],
      // Claimed before all else: of two that come at once only one goes on.
      then: [claim(lock), add(spent), remove(set), count(counterName('knocks', name)), ...complete],
      verdict: RETURN,
      comment: comment(`token of ${user.name}`),
    }
  })
  return [
    ...accept,
    {
      when: [isToken, inSet(spent), inSet(grantsSet(name))],
      verdict: RETURN,
      comment: comment('duplicate'),
    },
    {
      when: [],
      then: [count(counterName('wrong', name))],
      verdict: strike,
      comment: comment('wrong token'),
    },
  ]
}
