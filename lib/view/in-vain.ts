// The sets of a door → the sources whose knocks or connections fail: those that are penalised, and
// those whose grant is used up. Pure.

import { type Attempt, grantsSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { type Contents, EVERYONE } from './contents.js'

/**
 * A source that knocked too fast or at the wrong time. Until the penalty ends its knocks count for
 * nothing, and each restarts the penalty.
 */
export interface Penalised {
  readonly source: string
  /**
   * The penalised knock: `open` is the door's first, `open2` its second. The source can still use
   * the others.
   */
  readonly knock: Attempt
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/** A source that has made all connections that its grant allowed. It must knock again. */
export interface UsedUp {
  /** An address, or `everyone`. */
  readonly source: string
  /** Whole seconds since its last connection began; 0: less than one. */
  readonly ago: number
}

/** Seconds for which a used-up grant is shown: its user will soon ask why nothing opens. */
const RECENT = 3600

/** Finds the penalised sources of a door. Undefined if no knock of the door has a penalty. */
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
 * Finds the sources whose grants are used up. Undefined if the door counts no connections.
 *
 * The packet that uses a grant up claims the door's last connection; the next completed knock takes
 * the claim back. If the last packet of a rate or rhythm is the one allowed connection, there is no
 * grant and no claim: the source is in the set `begun` for a minute.
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
