// The elements of a door's sets → who is let in, and who is how far. Pure; the same for a listing and for the simulator.

import type { DoorSummary } from '../automaton/automaton.js'
import {
  type Attempt,
  BANNED,
  BANS_COUNTER,
  COUNTERS,
  counterName,
  grantsSet,
  IGNORED_COUNTER,
  parseSetName,
  type SetRole,
  UNTOLD_COUNTER,
} from '../automaton/names.js'
import type { Warning } from '../errors.js'
import type { Listing } from '../nft/listing.js'
import { LOADED_SET, type Loaded, loadedIn } from '../nft/loaded.js'
import { parseFamilySet } from '../nft/names.js'
import { TRIAL_SET, trialOf } from '../nft/trial.js'
import { type Ahead, viewAhead } from './ahead.js'

/** Stands for all sources, where a door's scope is everyone. */
export const EVERYONE = 'everyone'

/** A source that a door lets in. */
export interface Grant {
  readonly door: string
  /** An address, or `everyone`. */
  readonly source: string
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/** A source with an attempt under way. */
export interface Progress {
  readonly door: string
  readonly source: string
  /** How many knocks it has made, and how many open the door; as many: the door awaits its connection. */
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
  /** Closing knocks, and grants that were used up by their last connection. */
  readonly closes: number
  /** Attempts that a wrong packet ended. */
  readonly resets: number
  /** Tokens that were none, or used already. */
  readonly wrong: number
  /** Packets to the service from sources without a grant. */
  readonly denied: number
}

export interface DoorStatus {
  readonly name: string
  readonly service: readonly string[]
  /** Seconds that a grant lasts from a knock on. */
  readonly openFor: number
  readonly grants: readonly Omit<Grant, 'door'>[]
  readonly progress: readonly Omit<Progress, 'door'>[]
  readonly counters: Counters
  /** Of a door with tokens, in the spec's order; absent if the table does not say it: an older knocklib made it. */
  readonly tokens?: readonly (Ahead & { readonly user: string })[]
  /** The same of a door with rotating sequences, those that open it and the one that closes it. */
  readonly rotations?: readonly (Ahead & { readonly knock: Attempt })[]
}

/** A source whose knocks are ignored. */
export interface Ban {
  readonly source: string
  /** Whole seconds that remain; 0: less than one. */
  readonly expiresIn: number
}

/** How many sources one of nft's sets holds, and how many it can. Full, it refuses new ones and nothing opens. */
export interface Fill {
  readonly set: string
  /** How many, or the least that it can be: then `atLeast` is true. */
  readonly elements: number
  readonly atLeast?: true
  readonly capacity: number
}

/** A table that waits to be confirmed, or whose time for that ran out: then everything is let through. */
export type Trial =
  | { readonly expiresIn: number; readonly fallenOpen?: never }
  | { readonly fallenOpen: true; readonly expiresIn?: never }

/** What `status --json` prints. */
export interface Status {
  readonly table: string
  /** Of a table that was installed with `confirmWithin` and is not confirmed. */
  readonly confirm?: Trial
  readonly doors: readonly DoorStatus[]
  readonly bans: readonly Ban[]
  /** What happened since the table was made: bans, packets of banned sources, and events beyond the rate of its log. */
  readonly counters: { readonly bans: number; readonly ignored: number; readonly untold: number }
  /** The sets that hold something, the fullest first. */
  readonly fill: readonly Fill[]
  /**
   * The sets that hold more sources than `progress` and `bans` show of them: strangers fill them, and a status must not
   * take longer for that. Absent if all are shown.
   */
  readonly cut?: readonly string[]
  /** Of the interfaces that the spec names and that see nothing now; absent if there are none. */
  readonly warnings?: readonly Warning[]
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
  /** Of all sets that have a capacity. */
  readonly fill: readonly Fill[]
  /** By door, its sets and what they hold. */
  readonly roles: ReadonlyMap<string, readonly DoorSet[]>
  /** Of a table that awaits to be confirmed. */
  readonly trial?: Trial
  /** nft's names of the sets that hold more than `members` knows. */
  readonly cut?: readonly string[]
  /** By set, until when it is loaded ahead. */
  readonly loaded?: ReadonlyMap<string, Loaded>
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
export function listedContents(listing: Listing): Contents {
  const { sets, counters } = listing
  const trial = viewTrial(listing)
  const loaded = loadedIn(listing)
  const bySet = new Map<string, Member[]>()
  const fill: Fill[] = []
  const cut: string[] = []
  for (const [name, { elements, size, count, isCut }] of sets) {
    const { set, family } = parseFamilySet(name) ?? { set: name }
    // Without a family the key is no source.
    const members = elements.map(({ key, expires }) => {
      return { source: family ? (key[0] as string) : EVERYONE, expiresIn: expires ?? 0 }
    })
    bySet.set(set, [...(bySet.get(set) ?? []), ...members])
    if (isCut) cut.push(name)
    if (size === undefined) continue
    const known = count ?? elements.length
    const atLeast = isCut && count === undefined
    fill.push({ set: name, elements: known, ...(atLeast && { atLeast }), capacity: size })
  }
  return {
    members: (set) => bySet.get(set) ?? [],
    counter: (name) => counters.get(name) ?? 0,
    fill,
    roles: rolesByDoor(bySet.keys()),
    ...(trial && { trial }),
    ...(loaded && { loaded }),
    ...(cut.length > 0 && { cut }),
  }
}

/** The most sources of a set that a status shows, and counts where the kernel does not. */
const SHOWN = 4096
/** The same of bans: an administrator looks for one of them. */
const SHOWN_BANS = 65_536

/** How many elements of a set a status asks for, by nft's name of it. What strangers fill is bounded. */
export function mostOfStatus(name: string): number {
  const { set } = parseFamilySet(name) ?? { set: name }
  if (set === BANNED) return SHOWN_BANS
  if (set === TRIAL_SET || set === LOADED_SET || parseSetName(set)?.role.kind === 'grants')
    return Number.POSITIVE_INFINITY
  return SHOWN
}

/** Whether what is cut of a set is missing from a status. */
function isShown(name: string): boolean {
  const { set } = parseFamilySet(name) ?? { set: name }
  return set === BANNED || /^(?:stage|attempt|armed)$/.test(parseSetName(set)?.role.kind ?? '')
}

/** Undefined where nothing awaits to be confirmed. */
export function viewTrial(listing: Listing): Trial | undefined {
  const trial = trialOf(listing)
  return trial === 'over' ? { fallenOpen: true } : trial
}

export function viewGrants({ name }: DoorSummary, contents: Contents): Grant[] {
  return contents.members(grantsSet(name)).map(({ source, expiresIn }) => {
    return { door: name, source, expiresIn }
  })
}

export function viewProgress(door: DoorSummary, contents: Contents): Progress[] {
  const own = contents.roles.get(door.name) ?? []
  return door.knocks.flatMap(({ attempt, steps }) => {
    const sets = own.filter(({ role }) => 'attempt' in role && role.attempt === attempt)
    return attemptProgress(sets, contents, steps).map((progress) => {
      return { door: door.name, ...progress, of: steps }
    })
  })
}

type Place = Omit<Progress, 'door' | 'of'>

function attemptProgress(sets: readonly DoorSet[], contents: Contents, steps: number): Place[] {
  const limit = sets.find(({ role }) => role.kind === 'attempt')
  // An attempt that has run out of its whole time is over, also where its stage's own time has not.
  const limits = limit && new Map(contents.members(limit.set).map((m) => [m.source, m.expiresIn]))
  const isCut = contents.cut?.some((name) => parseFamilySet(name)?.set === limit?.set)
  return sets.flatMap(({ set, role }) => {
    if (role.kind === 'armed') {
      return contents.members(set).map((member) => ({ stage: steps, ...member }))
    }
    if (role.kind !== 'stage') return []
    return contents.members(set).flatMap(({ source, expiresIn }): Place[] => {
      const whole = limits ? (limits.get(source) ?? (isCut ? expiresIn : undefined)) : expiresIn
      if (whole === undefined) return []
      return [{ source, stage: role.stage, expiresIn: Math.min(expiresIn, whole) }]
    })
  })
}

export const viewBans = (contents: Contents): readonly Ban[] => contents.members(BANNED)

export function viewCounters({ name }: DoorSummary, contents: Contents): Counters {
  const entries = COUNTERS.map((kind) => [kind, contents.counter(counterName(kind, name))])
  return Object.fromEntries(entries) as unknown as Counters
}

export function viewStatus(
  table: string,
  doors: readonly DoorSummary[],
  contents: Contents,
): Status {
  const cut = contents.cut?.filter(isShown) ?? []
  const withoutDoor = <T extends { door: string }>({ door: _, ...rest }: T): Omit<T, 'door'> => rest
  return {
    table,
    ...(contents.trial && { confirm: contents.trial }),
    doors: doors.map((door) => ({
      name: door.name,
      service: door.services,
      openFor: door.grantTimeout,
      grants: viewGrants(door, contents).map(withoutDoor),
      progress: viewProgress(door, contents).map(withoutDoor),
      counters: viewCounters(door, contents),
      ...viewAhead(door, contents),
    })),
    bans: viewBans(contents),
    counters: {
      bans: contents.counter(BANS_COUNTER),
      ignored: contents.counter(IGNORED_COUNTER),
      untold: contents.counter(UNTOLD_COUNTER),
    },
    fill: contents.fill
      .filter(({ elements }) => elements > 0)
      .toSorted((a, b) => b.elements / b.capacity - a.elements / a.capacity),
    ...(cut.length > 0 && { cut }),
  }
}
