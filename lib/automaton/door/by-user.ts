// A door's users → for each a set of the sources that used a token of that user. Pure.
import type { ValidDoor } from '../../spec/model/model.js'
import { type Action, update } from '../language/automaton.js'
import { byUserSet } from '../language/names.js'
import type { TimedSet } from '../language/sets.js'

/** The most sources per user, and how many tokens a user may send beyond one for each period. */
const MOST_SOURCES = 4096
const AHEAD = 32

/**
 * Makes one set for each user of a door with tokens. A source stays in it for the time of a grant,
 * even if its grant was closed.
 */
export function byUserSets({ name, knocks, open }: ValidDoor): TimedSet[] {
  const tokens = knocks.flatMap((knock) => ('users' in knock ? [knock] : []))
  const period = Math.min(...tokens.map((token) => token.period))
  // Not larger: the kernel allocates a set's hash table for its size. Doubled, since expired
  // elements keep their place for a while.
  const sources = 2 * (Math.ceil(open.for / period) + AHEAD)
  // If a user has several token knocks, the set is shared.
  const users = new Set(tokens.flatMap((token) => token.users.map((user) => user.name)))
  return [...users].map((user) => ({
    name: byUserSet(name, user),
    key: ['source'],
    timeout: open.for,
    perElement: true,
    capacity: Math.min(sources, MOST_SOURCES),
  }))
}

/** Notes whose token a packet has. If the set is full, the rule ends here. */
export const rememberUser = (door: string, user: string): Action => update(byUserSet(door, user))
