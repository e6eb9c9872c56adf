// The elements of a door's sets → who is let in, and who is how far. Pure; the same for a listing and for the simulator.

import type { DoorSummary } from '../automaton/automaton.js'
import { COUNTERS, counterName, grantsSet, parseSetName, type SetRole } from '../automaton/names.js'
import type { Listing } from '../nft/listing.js'
import { parseFamilySet } from '../nft/names.js'

/** A source that a door lets in. */
export interface Grant {
  readonly door: string
  readonly source: string
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/** A source with an attempt under way. */
export interface Progress {
  readonly door: string
  readonly source: string
  /** How many knocks it has made, and how many open the door. */
  readonly stage: number
  readonly of: number
  /** Whole seconds in which the next knock must come; 0: less than one. */
  readonly expiresIn: number
}

/** What happened at a door since the table was made. */
export interface Counters {
  /** Packets that were a step of the door's knocks. */
  readonly knocks: number
  readonly grants: number
  /** Attempts that another packet ended. */
  readonly resets: number
  /** Packets to the service from sources without a grant. */
  readonly denied: number
}

export interface DoorStatus {
  readonly name: string
  readonly service: readonly string[]
  readonly grants: readonly Omit<Grant, 'door'>[]
  readonly progress: readonly Omit<Progress, 'door'>[]
  readonly counters: Counters
}

/** What `status --json` prints. */
export interface Status {
  readonly table: string
  readonly doors: readonly DoorStatus[]
}

/** A source in a set that is keyed by sources. */
export interface Member {
  readonly source: string
  readonly expiresIn: number
}

/** Where the elements are: in nft's listing, or in the simulator. */
export interface Contents {
  /** The sources in a set, of both families. */
  members(set: string): readonly Member[]
  counter(name: string): number
  /** By door, its sets and what they hold. */
  readonly roles: ReadonlyMap<string, readonly DoorSet[]>
}

export interface DoorSet {
  readonly set: string
  readonly role: SetRole
}

/** Sorts the names of sets by the doors that they belong to; those of no door are left out. */
export function rolesByDoor(sets: Iterable<string>): Map<string, DoorSet[]> {
  const roles = new Map<string, DoorSet[]>()
  for (const set of sets) {
    const parsed = parseSetName(set)
    if (!parsed) continue
    const own = roles.get(parsed.door) ?? []
    own.push({ set, role: parsed.role })
    roles.set(parsed.door, own)
  }
  return roles
}

/** Reads contents out of a listing. */
export function listedContents({ sets, counters }: Listing): Contents {
  const bySet = new Map<string, Member[]>()
  for (const [name, { elements }] of sets) {
    const parsed = parseFamilySet(name)
    if (!parsed) continue
    const members = elements.map(({ key, expires }) => {
      return { source: key[0] as string, expiresIn: expires ?? 0 }
    })
    bySet.set(parsed.set, [...(bySet.get(parsed.set) ?? []), ...members])
  }
  return {
    members: (set) => bySet.get(set) ?? [],
    counter: (name) => counters.get(name) ?? 0,
    roles: rolesByDoor(bySet.keys()),
  }
}

export function viewGrants({ name }: DoorSummary, contents: Contents): Grant[] {
  return contents.members(grantsSet(name)).map(({ source, expiresIn }) => {
    return { door: name, source, expiresIn }
  })
}

export function viewProgress({ name, steps }: DoorSummary, contents: Contents): Progress[] {
  const own = contents.roles.get(name) ?? []
  const limit = own.find(({ role }) => role.kind === 'attempt' && role.attempt === 'open')
  // An attempt that has run out of its whole time is over, also where its stage's own time has not.
  const limits = limit && new Map(contents.members(limit.set).map((m) => [m.source, m.expiresIn]))
  return own.flatMap(({ set, role }) => {
    if (role.kind !== 'stage' || role.attempt !== 'open') return []
    return contents.members(set).flatMap(({ source, expiresIn }): Progress[] => {
      const whole = limits ? limits.get(source) : expiresIn
      if (whole === undefined) return []
      const remaining = Math.min(expiresIn, whole)
      return [{ door: name, source, stage: role.stage, of: steps, expiresIn: remaining }]
    })
  })
}

export function viewCounters({ name }: DoorSummary, contents: Contents): Counters {
  const entries = COUNTERS.map((kind) => [kind, contents.counter(counterName(kind, name))])
  return Object.fromEntries(entries) as unknown as Counters
}

export function viewStatus(
  table: string,
  doors: readonly DoorSummary[],
  contents: Contents,
): Status {
  const withoutDoor = <T extends { door: string }>({ door: _, ...rest }: T): Omit<T, 'door'> => rest
  return {
    table,
    doors: doors.map((door) => ({
      name: door.name,
      service: door.services,
      grants: viewGrants(door, contents).map(withoutDoor),
      progress: viewProgress(door, contents).map(withoutDoor),
      counters: viewCounters(door, contents),
    })),
  }
}
