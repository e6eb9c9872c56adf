// Tokens, each of which works once → the knock's program. Nothing is stored for the sender of a
// wrong token. Pure.
import { TOKEN_LENGTH } from '../../../spec/derive/derivation.js'
import type { ValidToken } from '../../../spec/model/model.js'
import { rememberUser } from '../../door/by-user.js'
import {
  add,
  type Chain,
  claim,
  count,
  goTo,
  inSet,
  type Match,
  notInSet,
  RETURN,
  type Rule,
  remove,
} from '../../language/automaton.js'
import { counterName, grantsSet, lockSet, tokensSet } from '../../language/names.js'
import { AT_ONCE, type KnockContext, type KnockProgram } from '../../language/program.js'
import { spentTokens } from '../../language/spent.js'

const TOKEN = ['token'] as const
const isToken: Match = { kind: 'length', of: 'udp', length: TOKEN_LENGTH }

export function buildToken(token: ValidToken, context: KnockContext): KnockProgram {
  const { door, attempt } = context
  const perUser = tokensAhead(token)
  const sets = token.users.map((_, user) => tokensSet(door.name, attempt, user + 1))
  const spentSet = spentTokens(door.name)
  const spent = spentSet.name
  const lock = lockSet(door.name, attempt)
  const all: TokenSets = { sets, spent, lock }
  return {
    door,
    attempt,
    origin: token.origin,
    sets: [
      // Doubled, since expired elements keep their place for a while.
      ...sets.map((name) => ({ name, key: TOKEN, capacity: 2 * perUser })),
      { name: lock, key: TOKEN, timeout: AT_ONCE, capacity: 2 * perUser * sets.length },
      spentSet,
    ],
    endpoints: [
      {
        port: { protocol: 'udp', port: token.port },
        packets: [],
        rules: tokenRules(token, context, all),
        invalidPackets: [],
        invalidRules: [],
      },
    ],
    chains: userChains(token, context, all),
    wipe: [],
    reset: 'never',
    gap: 0,
    lasts: 0,
  }
}

/** The most tokens of one user that are valid at a time: two in a period, one for each family. */
const tokensAhead = ({ horizon, drift, period }: ValidToken): number =>
  2 * (Math.ceil((horizon + drift) / period) + 2)

interface TokenSets {
  /** By user, the set of loaded tokens. */
  readonly sets: readonly string[]
  readonly spent: string
  readonly lock: string
}

const userChain = (door: string, user: number): string => `token${user + 1}_${door}`

function tokenRules(
  { users, origin }: ValidToken,
  { door: { name }, attempt, strike }: KnockContext,
  { sets, spent }: TokenSets,
): Rule[] {
  const comment = (purpose: string) => `${name} ${origin} ${purpose}`
  const known = users.map((user, index): Rule => {
    const when = [isToken, inSet(sets[index] as string)]
    return { when, verdict: goTo(userChain(name, index)), comment: comment(user.name) }
  })
  const wrong = [count(counterName('wrong', name))]
  const logs = { event: 'wrong', door: name, attempt } as const
  return [
    ...known,
    { when: [isToken, ...duplicate(name, spent)], verdict: RETURN, comment: comment('duplicate') },
    { when: [], then: wrong, verdict: strike, logs, comment: comment('wrong token') },
  ]
}

/** Matches a used token from a source with a grant: sent again by the user, or by the network. */
const duplicate = (door: string, spent: string): Match[] => [inSet(spent), inSet(grantsSet(door))]

/**
 * One chain for each user, which judges that user's loaded tokens. A used token is in the set again
 * after each refill.
 */
function userChains(
  { users, origin }: ValidToken,
  { door: { name }, attempt, complete }: KnockContext,
  { sets, spent, lock }: TokenSets,
): Chain[] {
  return users.map((user, index) => {
    const comment = (purpose: string) => `${name} ${origin} ${user.name} ${purpose}`
    const set = sets[index] as string
    // The claim comes first, so that of two packets at once only one goes on. The token is marked
    // as used before the grant, so that it never works twice.
    const use = [claim(lock), add(spent), remove(set), count(counterName('knocks', name))]
    const wrong = [count(counterName('wrong', name))]
    const logs = { event: 'wrong', door: name, attempt } as const
    const rules: Rule[] = [
      {
        when: [notInSet(spent)],
        then: [...use, ...complete, rememberUser(name, user.name)],
        verdict: RETURN,
        logs: { event: 'granted', door: name, attempt, stage: 1, of: 1, user: user.name },
        comment: comment('complete'),
      },
      { when: duplicate(name, spent), verdict: RETURN, comment: comment('duplicate') },
      // No strike: the token may be valid and have found a set full.
      { when: [], then: wrong, verdict: RETURN, logs, comment: comment('used') },
    ]
    return { name: userChain(name, index), rules }
  })
}
