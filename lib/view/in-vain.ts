// The sets of a door → the sources that try in vain: those that are penalised, and those whose
// grant is used up. Pure.

import { type Attempt, grantsSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { type Contents, EVERYONE } from './contents.js'

/**
 * A source that knocked too fast or out of its time: until then its knocks count for nothing, and
 * prolong it.
 */
export interface Penalised {
  readonly source: string
  /**
   * Which of the door's knocks: `open` is its first, `open2` its second. The others are open to the
   * source.
   */
  readonly knock: Attempt
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/**
 * A source without a grant, since the last connection that its grant allowed has been made: it must
 * knock again.
 */
export interface UsedUp {
  /** An address, or `everyone`. */
  readonly source: string
  /** Whole seconds since that connection began; 0: less than one. */
  readonly ago: number
}

/** Seconds for which a grant that is used up is shown: somebody asks soon why nothing opens. */
const RECENT = 3600

/** Undefined if no knock of the door penalises. */
export function viewPenalised(
  { name }: DoorSummary,
  { roles, members }: Contents,
): readonly Penalised[] | undefined {
  const sets = (roles.get(name) ?? []).flatMap(({ set, role }) =>
    role.kind === 'penalised' ? [{ set, knock: role.attempt }] : [],
  )
  if (sets.length === 0) return undefined
  return sets.flatMap(({ set, knock }) =>
    members(set).map(({ source, expiresIn }) => ({ source, knock, expiresIn })),
  )
}

/**
 * Undefined if the door counts no connections.
 *
 * The packet that uses a grant up claims the door's last connection, and the next completed knock
 * gives the claim back. A rate or rhythm whose last packet is the one connection makes no grant and
 * claims nothing: it leaves its source for a minute among those that began.
 */
export function viewUsedUp(
  { name, connections }: DoorSummary,
  { roles, members }: Contents,
): readonly UsedUp[] | undefined {
  if (connections === undefined) return undefined
  const own = roles.get(name) ?? []
  const letsThrough = connections === 1 && own.some(({ role }) => role.kind === 'penalised')
  const signs = own.filter(
    ({ role }) =>
      (role.kind === 'claimed' && role.connections === connections) ||
      (role.kind === 'begun' && letsThrough),
  )
  const granted = new Set(members(grantsSet(name)).map(({ source }) => source))
  const latest = new Map<string, number>()
  for (const { source, age } of signs.flatMap(({ set }) => members(set))) {
    if (age === undefined || age >= RECENT || granted.has(source)) continue
    latest.set(source, Math.min(age, latest.get(source) ?? age))
  }
  if (granted.has(EVERYONE)) return []
  return [...latest].map(([source, ago]) => ({ source, ago }))
}
