// A door's users → for each a set of the sources that a token of that user let in. Pure.
import type { ValidDoor } from '../../spec/model/model.js'
import { type Action, type TimedSet, update } from '../language/automaton.js'
import { byUserSet } from '../language/names.js'

/**
 * The most sources of one user within the time of a grant; and as many more tokens than one for
 * each period.
 */
const MOST_SOURCES = 4096
const AHEAD = 32

/**
 * Of a door with tokens. A source is in it as long as a grant of that token lasts, whatever became
 * of the grant.
 */
export function byUserSets({ name, knocks, open }: ValidDoor): TimedSet[] {
  const tokens = knocks.flatMap((knock) => ('users' in knock ? [knock] : []))
  const period = Math.min(...tokens.map((token) => token.period))
  // No larger than that: the kernel makes the table of a set for its size. What expires keeps its
  // place for a while.
  const sources = 2 * (Math.ceil(open.for / period) + AHEAD)
  // Of a user of several tokens it does not matter which was sent.
  const users = new Set(tokens.flatMap((token) => token.users.map((user) => user.name)))
  return [...users].map((user) => ({
    name: byUserSet(name, user),
    key: ['source'],
    timeout: open.for,
    perElement: true,
    capacity: Math.min(sources, MOST_SOURCES),
  }))
}

/** Done last by the packet with the token: a full set stops nothing but this, and the event. */
export const rememberUser = (door: string, user: string): Action => update(byUserSet(door, user))
