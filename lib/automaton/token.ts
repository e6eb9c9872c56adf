// Tokens, each of which works once → the knock's program: nothing is stored for who sends a wrong one. Pure.
import { TOKEN_LENGTH } from '../spec/derive.js'
import type { ValidToken } from '../spec/model.js'
import { claim, count, inSet, type Match, RETURN, type Rule, remove } from './automaton.js'
import { counterName, grantsSet, spentTokensSet, tokensSet } from './names.js'
import type { KnockContext, KnockProgram } from './program.js'

const TOKEN = ['token'] as const
const isToken: Match = { kind: 'length', of: 'udp', length: TOKEN_LENGTH }

export function buildToken(token: ValidToken, context: KnockContext): KnockProgram {
  const { door, attempt } = context
  const perUser = tokensAhead(token)
  const sets = token.users.map((_, user) => tokensSet(door.name, attempt, user + 1))
  const spent = spentTokensSet(door.name)
  return {
    door,
    attempt,
    origin: token.origin,
    sets: [
      // Twice as many as there are: what expires keeps its place for a while.
      ...sets.map((name) => ({ name, key: TOKEN, capacity: 2 * perUser })),
      {
        name: spent,
        key: TOKEN,
        // Longer than any token that is loaded: one that has been used stays so until it has expired.
        timeout: token.horizon + token.period + token.drift,
        capacity: 2 * perUser * sets.length,
      },
    ],
    endpoints: [
      {
        port: { protocol: 'udp', port: token.port },
        packets: [],
        rules: tokenRules(token, context, sets, spent),
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

function tokenRules(
  { users, origin }: ValidToken,
  { door: { name }, complete, strike }: KnockContext,
  sets: readonly string[],
  spent: string,
): Rule[] {
  const comment = (purpose: string) => `${name} ${origin} ${purpose}`
  const accept = users.map((user, index): Rule => {
    const set = sets[index] as string
    return {
      when: [isToken, inSet(set)],
      // Claimed before all else: of two that come at once only one goes on.
      then: [claim(spent), remove(set), count(counterName('knocks', name)), ...complete],
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
