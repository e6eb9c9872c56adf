// A listing → what the sets of doors hold, by set and by door, and how full they are. Pure.
import { BANNED, parseSetName, type SetRole } from '../automaton/language/names.js'
import { CONFIRM_SET, confirmOf } from '../nft/confirm.js'
import type { Listing } from '../nft/listing.js'
import { LOADED_SET, type Loaded, loadedIn } from '../nft/loaded.js'
import { parseFamilySet } from '../nft/names.js'

/** Stands for all sources, where a door's scope is everyone. */
export const EVERYONE = 'everyone'

/**
 * How many sources one of nft's sets holds, and how many it can. Full, it refuses new ones and
 * nothing opens.
 */
export interface Fill {
  readonly set: string
  /** How many, or the least that it can be: then `atLeast` is true. */
  readonly elements: number
  readonly atLeast?: true
  readonly capacity: number
}

/**
 * A table that waits to be confirmed, or whose time for that ran out: then everything is let
 * through.
 */
export type PendingConfirm =
  | { readonly expiresIn: number; readonly fallenOpen?: never }
  | { readonly fallenOpen: true; readonly expiresIn?: never }

/** A source in a set that is keyed by sources. */
export interface Member {
  readonly source: string
  readonly expiresIn: number
  /** Whole seconds since it was added or renewed, 0: less than one; absent if it stays for ever. */
  readonly age?: number
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
  readonly pending?: PendingConfirm
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
  const pending = viewConfirm(listing)
  const loaded = loadedIn(listing)
  const bySet = new Map<string, Member[]>()
  const fill: Fill[] = []
  const cut: string[] = []
  for (const [name, listed] of sets) {
    const { elements, size, count, isCut } = listed
    const { set, family } = parseFamilySet(name) ?? { set: name }
    const members = elements.map(({ key, expires, timeout = listed.timeout }): Member => {
      // Without a family the key is no source.
      const source = family ? (key[0] as string) : EVERYONE
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

/** What remains is given in whole seconds, without the rest. */
const ageOf = (timeout: number, expires: number): number => Math.max(timeout - expires - 1, 0)

/** The most sources of a set that a status shows, and counts where the kernel does not. */
const SHOWN = 4096
/** The same of bans: an administrator looks for one of them. */
const SHOWN_BANS = 65_536

/**
 * How many elements of a set a status asks for, by nft's name of it. What strangers fill is
 * bounded.
 */
export function mostOfStatus(name: string): number {
  const { set } = parseFamilySet(name) ?? { set: name }
  if (set === BANNED) return SHOWN_BANS
  if (set === CONFIRM_SET || set === LOADED_SET || parseSetName(set)?.role.kind === 'grants')
    return Number.POSITIVE_INFINITY
  return SHOWN
}

/** Undefined where nothing awaits to be confirmed. */
export function viewConfirm(listing: Listing): PendingConfirm | undefined {
  const pending = confirmOf(listing)
  return pending === 'over' ? { fallenOpen: true } : pending
}
