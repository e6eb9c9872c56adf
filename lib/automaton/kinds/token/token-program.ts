// Tokens, each of which works once → the knock's program. Nothing is stored for the sender of a
// wrong token. Pure.
import type { ValidToken, ValidUser } from '../../../spec/model/model.js'
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
  update,
} from '../../language/automaton.js'
import {
  type Attempt,
  byUserSet,
  counterName,
  grantsSet,
  lockSet,
  repeatingSet,
  tokensSet,
} from '../../language/names.js'
import { AT_ONCE, type KnockContext, type KnockProgram } from '../../language/program.js'
import type { TimedSet } from '../../language/sets.js'
import { spentTokens } from '../../language/sets.js'
import { BEARING, OTHER_QUESTION } from './token-packets.js'

export function buildToken(token: ValidToken, context: KnockContext): KnockProgram {
  const { door, attempt } = context
  const { carrier } = token
  const key = [`${carrier}-token`] as const
  const perUser = tokensAhead(token)
  const sets = token.users.map((_, user) => tokensSet(door.name, attempt, user + 1))
  const spentSet = spentTokens(door.name, carrier)
  const spent = spentSet.name
  const lock = lockSet(door.name, attempt)
  const repeating = repeats(token) ? [repeatingOf(token, context)] : []
  const all: TokenSets = { sets, spent, lock, repeating: repeating.map(({ name }) => name) }
  return {
    door,
    attempt,
    origin: token.origin,
    sets: [
      // Doubled, since expired elements keep their place for a while.
      ...sets.map((name) => ({ name, key, capacity: 2 * perUser })),
      { name: lock, key, timeout: AT_ONCE, capacity: 2 * perUser * sets.length },
      spentSet,
      ...repeating,
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
    chains: token.users.flatMap((_, user) => [
      userChain(token, context, all, user),
      grantedChain(token, context, all, user),
    ]),
    wipe: [],
    reset: 'never',
    gap: 0,
    lasts: 0,
  }
}

/** The most tokens of one user that are valid at a time: two in a period, one for each family. */
const tokensAhead = ({ horizon, drift, period }: ValidToken): number =>
  2 * (Math.ceil((horizon + drift) / period) + 2)

/**
 * Whether a client sends a token again by itself, unless it is told to stop: browsers do until the
 * page is closed, and clients of name servers until they give up.
 */
const repeats = ({ carrier }: ValidToken): boolean => carrier !== 'udp'

/** The most sources that are known to send a token again, and those beyond one for each period. */
const MOST_REPEATING = 4096
const AHEAD = 32

/**
 * Sources that used a token within `AT_ONCE`, which is longer than any client sends it again. Such
 * a source may have no grant any more, or no room for one.
 */
function repeatingOf({ users, period }: ValidToken, { door, attempt }: KnockContext): TimedSet {
  const sources = users.length * (Math.ceil(AT_ONCE / period) + AHEAD)
  const capacity = Math.min(2 * sources, MOST_REPEATING)
  return { name: repeatingSet(door.name, attempt), key: ['source'], timeout: AT_ONCE, capacity }
}

interface TokenSets {
  /** By user, the set of loaded tokens. */
  readonly sets: readonly string[]
  readonly spent: string
  readonly lock: string
  /** The set of sources that may send a used token again; none if no client does. */
  readonly repeating: readonly string[]
}

/** The most characters of a user's name in a comment: nft keeps 128 of the whole. */
const SHOWN = 48

const shown = ({ name }: ValidUser): string =>
  name.length <= SHOWN ? name : `${name.slice(0, SHOWN - 3)}...`

const userChainName = (door: string, user: number): string => `token${user + 1}_${door}`

function tokenRules(
  { users, origin, carrier }: ValidToken,
  { door: { name }, attempt, strike }: KnockContext,
  all: TokenSets,
): Rule[] {
  const isToken = BEARING[carrier]
  const comment = (purpose: string) => `${name} ${origin} ${purpose}`
  const known = users.map((user, index): Rule => {
    const when = [...isToken, inSet(all.sets[index] as string)]
    return { when, verdict: goTo(userChainName(name, index)), comment: comment(shown(user)) }
  })
  const wrong = {
    then: [count(counterName('wrong', name))],
    logs: { event: 'wrong', door: name, attempt },
  } as const
  // No strikes: who sends this may have used the token over another address, or asks a name server
  // what nslookup asks before its question.
  const harmless = [
    ...(all.repeating.length > 0 ? [['used', [...isToken, inSet(all.spent)]] as const] : []),
    ...(carrier === 'dns' ? [['another question', OTHER_QUESTION] as const] : []),
  ]
  return [
    ...known,
    ...duplicates(name, all).map((matches): Rule => {
      return { when: [...isToken, ...matches], verdict: RETURN, comment: comment('duplicate') }
    }),
    ...harmless.map(([what, when]): Rule => {
      return { when, ...wrong, verdict: RETURN, comment: comment(what) }
    }),
    { when: [], ...wrong, verdict: strike, comment: comment('wrong token') },
  ]
}

/**
 * Matches a used token that is sent again, by the client or by the network: from a source with a
 * grant, or from one that used a token a moment ago.
 */
const duplicates = (door: string, { spent, repeating }: TokenSets): Match[][] =>
  [grantsSet(door), ...repeating].map((sources) => [inSet(spent), inSet(sources)])

/** Judges one user's loaded tokens. A used token is in the set again after each refill. */
function userChain(
  { users, origin }: ValidToken,
  { door: { name }, attempt, complete, strike }: KnockContext,
  all: TokenSets,
  index: number,
): Chain {
  const { sets, spent, lock } = all
  const user = users[index] as ValidUser
  const comment = (purpose: string) => `${name} ${origin} ${shown(user)} ${purpose}`
  const set = sets[index] as string
  // The claim comes first, so that of two packets at once only one goes on. The token is marked as
  // used before the grant, so that it never works twice.
  const use = [claim(lock), add(spent), remove(set), count(counterName('knocks', name))]
  const wrong = [count(counterName('wrong', name))]
  // As any wrong token, for whoever sends it; and it is not used up: somebody with a stolen secret
  // could use up all tokens from anywhere. The log alone says whose it is.
  const elsewhere = user.from
    ? [
        {
          when: [notInSet(spent), { kind: 'source', addresses: user.from, not: true } as const],
          then: wrong,
          verdict: strike,
          logs: { event: 'wrong', door: name, attempt, user: user.name } as const,
          comment: comment('from elsewhere'),
        },
      ]
    : []
  const rules: Rule[] = [
    ...elsewhere,
    {
      when: [notInSet(spent)],
      then: [...use, ...complete],
      verdict: goTo(grantedChainName(name, attempt, user.name)),
      comment: comment('complete'),
    },
    ...duplicates(name, all).map((when): Rule => {
      return { when, verdict: RETURN, comment: comment('duplicate') }
    }),
    // No strike: the token may be valid and have found a set full.
    {
      when: [],
      then: wrong,
      verdict: RETURN,
      logs: { event: 'wrong', door: name, attempt },
      comment: comment('used'),
    },
  ]
  return { name: userChainName(name, index), rules }
}

const grantedChainName = (door: string, attempt: Attempt, user: string): string =>
  `granted_${attempt}_${byUserSet(door, user)}`

/**
 * Notes and logs what has been granted. A set that is full ends its own rule alone: the event is
 * logged also if the source could not be noted.
 */
function grantedChain(
  { users, origin }: ValidToken,
  { door: { name }, attempt }: KnockContext,
  { repeating }: TokenSets,
  index: number,
): Chain {
  const user = users[index] as ValidUser
  const comment = (purpose: string) => `${name} ${origin} ${shown(user)} ${purpose}`
  const logs = { event: 'granted', door: name, attempt, stage: 1, of: 1, user: user.name } as const
  const rules: Rule[] = [
    ...repeating.map((set) => ({ when: [], then: [update(set)], comment: comment('may repeat') })),
    {
      when: [],
      then: [rememberUser(name, user.name)],
      verdict: RETURN,
      logs,
      comment: comment('noted'),
    },
    { when: [], verdict: RETURN, logs, comment: comment('not noted') },
  ]
  return { name: grantedChainName(name, attempt, user.name), rules }
}
