// The sets of a door, and until when they are loaded ahead → until when its tokens and rotating
// sequences open it. Pure.

import { type Attempt, tokensSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import type { Loaded } from '../nft/loaded.js'
import type { Contents } from './contents.js'
import type { DoorStatus } from './status.js'

/**
 * Until when tokens or ports are loaded ahead. After that none opens until they are loaded again.
 */
export interface Ahead {
  /** Whole seconds that remain; 0 if nothing is loaded. */
  readonly expiresIn: number
  /** Seconds for which they were loaded the last time; absent if nothing is loaded. */
  readonly loadedFor?: number
}

/** Until when the tokens of a user are loaded. */
export interface UserStatus extends Ahead {
  readonly user: string
  /** From when on no token of the user opens, in ISO 8601 and UTC; absent if there is no end. */
  readonly until?: string
}

/**
 * What is loaded ends soon if less than a tenth of its time is left; if a tenth is more than a day,
 * if less than a day is left.
 */
const SOON = { share: 10, most: 86_400 } as const

/** Refills come at any time before: so at most half of the time is soon. */
const HALF = 2

/** Whether what is loaded ahead ends soon or has ended. */
export const endsSoon = ({ expiresIn, loadedFor = 0 }: Ahead): boolean =>
  expiresIn === 0 || expiresIn < Math.min(loadedFor / SOON.share, SOON.most)

/** The same if somebody has said how many seconds are soon. */
export const endsWithin = ({ expiresIn, loadedFor = 0 }: Ahead, before: number): boolean =>
  expiresIn === 0 || expiresIn < Math.min(loadedFor / HALF, before)

const NOTHING: Ahead = { expiresIn: 0 }

/**
 * Reads until when the tokens and rotating sequences of a door are loaded. An empty object if the
 * door has neither, or if the table does not say it.
 */
export function viewAhead(
  door: DoorSummary,
  { loaded, roles }: Pick<Contents, 'loaded' | 'roles'>,
): Pick<DoorStatus, 'tokens' | 'rotations'> {
  if (!loaded) return {}
  const tokens = door.knocks.flatMap(({ attempt, users = [], until = {} }) =>
    users.map((user, index) => {
      const ends = Object.hasOwn(until, user) && { until: isoOf(until[user] as number) }
      return { user, ...(loaded.get(tokensSet(door.name, attempt, index + 1)) ?? NOTHING), ...ends }
    }),
  )
  const rotations = new Map<Attempt, Ahead>()
  for (const { set, role } of roles.get(door.name) ?? []) {
    if (role.kind !== 'inner' || !IS_OF_PORTS.test(set)) continue
    // A sequence opens only as long as the ports of all its steps are loaded.
    const known = rotations.get(role.attempt)
    const own: Ahead | Loaded = loaded.get(set) ?? NOTHING
    if (!known || own.expiresIn < known.expiresIn) rotations.set(role.attempt, own)
  }
  const sequences = [...rotations].map(([knock, ahead]) => ({ knock, ...ahead }))
  return {
    ...(tokens.length > 0 && { tokens }),
    ...(sequences.length > 0 && { rotations: sequences }),
  }
}

const isoOf = (seconds: number): string => new Date(1000 * seconds).toISOString()

const IS_OF_PORTS = /^(?:(?:open\d+|close\d*)_)?ports\d+_/
