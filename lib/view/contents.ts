// A listing → the elements of the doors' sets, by set and by door, and how full the sets are. Pure.
import { BANNED, parseSetName, type SetRole } from '../automaton/language/names.js'
import { parseAdmitted, parseCountSet } from '../automaton/sharing/names.js'
import { CONFIRM_SET, confirmOf } from '../nft/confirm.js'
import type { Listing } from '../nft/listing.js'
import { LOADED_SET, type Loaded, loadedIn } from '../nft/loaded.js'
import { parseFamilySet, sourceText } from '../nft/names.js'

/** The source of a grant if the door's scope is everyone. */
export const EVERYONE = 'everyone'

/**
 * How many elements a set of nft holds, and how many it can hold. A full set takes no new source,
 * and nothing opens because of that.
 */
export interface Fill {
  readonly set: string
  /** The number of elements; a lower bound if `atLeast` is true. */
  readonly elements: number
  readonly atLeast?: true
  readonly capacity: number
}

/**
 * The confirmation of a table: the seconds in which it must be confirmed; or `fallenOpen` if nobody
 * confirmed it in time, so that every packet passes.
 */
export type PendingConfirm =
  | { readonly expiresIn: number; readonly fallenOpen?: never }
  | { readonly fallenOpen: true; readonly expiresIn?: never }

/** A source in a set that is keyed by sources. */
export interface Member {
  readonly source: string
  readonly expiresIn: number
  /**
   * Whole seconds since it was added or renewed; 0: less than one; absent if it does not expire.
   */
  readonly age?: number
}

/** The elements of a table's sets, from nft's listing or from the simulator. */
export interface Contents {
  /** The sources in a set, of both families; empty if there is no such set. */
  members(set: string): readonly Member[]
  counter(name: string): number
  /** One entry for each set that has a capacity. */
  readonly fill: readonly Fill[]
  /** By door, its sets and their roles. */
  readonly roles: ReadonlyMap<string, readonly DoorSet[]>
  /** Absent if the table needs no confirmation. */
  readonly pending?: PendingConfirm
  /** nft's names of the sets of which `members` has not all elements; absent if it has all. */
  readonly cut?: readonly string[]
  /** By set, until when it is loaded ahead; absent if the table does not say it. */
  readonly loaded?: ReadonlyMap<string, Loaded>
}

export interface DoorSet {
  readonly set: string
  readonly role: SetRole
}

/** Groups the names of sets by door. Sets that belong to no door are left out. */
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

/** Reads the contents of a listing. */
export function listedContents(listing: Listing): Contents {
  const { sets, counters } = listing
  const pending = viewConfirm(listing)
  const loaded = loadedIn(listing)
  const bySet = new Map<string, Member[]>()
  const fill: Fill[] = []
  const cut: string[] = []
  for (const [name, listed] of sets) {
    const { elements, size, count, isCut } = listed
    const { set, family, prefix } = parseFamilySet(name) ?? { set: name }
    const members = elements.map(({ key, expires, timeout = listed.timeout }): Member => {
      // The key of a set without a family is a constant.
      const source = family ? sourceText(key[0] as string, family, prefix) : EVERYONE
      const member = { source, expiresIn: expires ?? 0 }
      if (expires === undefined || timeout === undefined) return member
      return { ...member, age: ageOf(timeout, expires) }
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
    ...(pending && { pending }),
    ...(loaded && { loaded }),
    ...(cut.length > 0 && { cut }),
  }
}

/** nft rounds the remaining seconds down, so the age is up to a second less than the difference. */
const ageOf = (timeout: number, expires: number): number => Math.max(timeout - expires - 1, 0)

/**
 * How many sources of a set a status shows at most; also how many it counts if the kernel does not.
 */
const SHOWN = 4096
/** The same for bans. It is more, since an administrator looks for one of them. */
const SHOWN_BANS = 65_536

/**
 * How many elements of a set a status asks for, by nft's name of the set. Sets that strangers fill
 * are bounded.
 */
export function mostOfStatus(name: string): number {
  const { set } = parseFamilySet(name) ?? { set: name }
  if (set === BANNED) return SHOWN_BANS
  const isWhole =
    set === CONFIRM_SET ||
    set === LOADED_SET ||
    parseSetName(set)?.role.kind === 'grants' ||
    parseAdmitted(set) !== undefined ||
    parseCountSet(set) !== undefined
  if (isWhole) return Number.POSITIVE_INFINITY
  return SHOWN
}

/** How many a listing of grants asks for: all of each set of grants, and no other set. */
export function mostOfGrants(name: string): number {
  const { set } = parseFamilySet(name) ?? { set: name }
  const isOfGrants = parseSetName(set)?.role.kind === 'grants' || parseAdmitted(set) !== undefined
  return isOfGrants ? Number.POSITIVE_INFINITY : 0
}

/**
 * Whether a set, by nft's name, is of one of these doors, or of no door alone.
 *
 * @param doors - absent: all.
 */
export function isOfDoors(name: string, doors: readonly string[] | undefined): boolean {
  const { door } = parseSetName(parseFamilySet(name)?.set ?? name) ?? {}
  return door === undefined || (doors?.includes(door) ?? true)
}

/** How many a reading of counters asks for. Those of shared doors are elements of sets. */
export const mostOfCounters = (name: string): number =>
  parseCountSet(parseFamilySet(name)?.set ?? name) ? Number.POSITIVE_INFINITY : 0

/** Reads the pending confirmation; undefined if the table needs none. */
export function viewConfirm(listing: Listing): PendingConfirm | undefined {
  const pending = confirmOf(listing)
  return pending === 'over' ? { fallenOpen: true } : pending
}
