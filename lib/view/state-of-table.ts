// A listing → the state of a table that a file saves. Pure.

import { BANNED, parseSetName, usedSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { parseAdmitted } from '../automaton/sharing/names.js'
import type { Listing } from '../nft/listing.js'
import { parseFamilySet } from '../nft/names.js'
import { standingSets } from '../nft/own-sets.js'
import type { KnockState, SavedGrant } from '../spec/generated/state-types.js'
import { type Contents, listedContents } from './contents.js'
import { viewBans, viewGrants } from './status.js'

/** Whether a set, by nft's name, holds elements that a saved state contains. */
export function isSaved(name: string): boolean {
  const { set } = parseFamilySet(name) ?? { set: name }
  return (
    set === BANNED ||
    parseAdmitted(set) !== undefined ||
    /^(?:grants|used|spent)$/.test(parseSetName(set)?.role.kind ?? '')
  )
}

/**
 * Reads a table's state. Grants and bans that end within the second are left out.
 *
 * @param now - milliseconds since 1970, when the listing was made.
 */
export function viewState(
  table: string,
  doors: readonly DoorSummary[],
  listing: Listing,
  now: number,
): KnockState {
  const contents = listedContents(listing)
  const until = (seconds: number): string => new Date(now + seconds * 1000).toISOString()
  const lasts = ({ expiresIn }: { readonly expiresIn: number }): boolean => expiresIn > 0
  const spent = [...listing.sets.keys()].flatMap((set) => {
    const parsed = parseSetName(parseFamilySet(set)?.set ?? set)
    const { role, door } = parsed ?? {}
    return role?.kind === 'spent' && door !== undefined ? [{ door, set, digest: role.digest }] : []
  })
  return {
    version: 1,
    table,
    saved: until(0),
    grants: doors.flatMap((door) => {
      const used = usedBySource(door, contents)
      return viewGrants(door, contents)
        .filter(lasts)
        .map(({ source, expiresIn }): SavedGrant => {
          const count = used.get(source)
          const grant = { door: door.name, source, until: until(expiresIn) }
          return count === undefined ? grant : { ...grant, used: count }
        })
    }),
    bans: viewBans(contents)
      .filter(lasts)
      .map(({ source, expiresIn }) => ({ source, until: until(expiresIn) })),
    // Also of doors that are gone: they may come back, and their tokens must stay used.
    tokens: spent.flatMap(({ door, set, digest }) => {
      const elements = digest === undefined ? (listing.sets.get(set)?.elements ?? []) : []
      return elements.map(({ key: [token = ''], expires = 0 }) => {
        return { door, token: digitsOf(token), until: until(Math.max(expires, 1)) }
      })
    }),
    sequences: spent.flatMap(({ door, set, digest }) => {
      const isUsed = (listing.sets.get(set)?.elements ?? []).length > 0
      return digest !== undefined && isUsed ? [{ door, digest }] : []
    }),
  }
}

/**
 * Moves a state to a time, as `renderState` puts it into a table: used tokens keep the time that
 * they had left when it was saved, and nothing else lasts longer.
 *
 * @param now - milliseconds since 1970.
 */
function asOf(state: KnockState, now: number): KnockState {
  const passed = now - Date.parse(state.saved)
  const moved = <T extends { readonly until: string }>(timed: T, by: number): T => {
    return { ...timed, until: new Date(Date.parse(timed.until) + by).toISOString() }
  }
  return {
    ...state,
    saved: new Date(now).toISOString(),
    grants: state.grants.map((grant) => moved(grant, Math.min(0, passed))),
    bans: state.bans.map((ban) => moved(ban, Math.min(0, passed))),
    tokens: state.tokens.map((used) => moved(used, passed)),
  }
}

/** Counts the connections that each source has made with its grant. */
function usedBySource(door: DoorSummary, contents: Contents): ReadonlyMap<string, number> {
  const { name, connections = 1 } = door
  const counts = Array.from({ length: connections - 1 }, (_, index) => index + 1)
  return new Map(
    counts.flatMap((count) =>
      contents.members(usedSet(name, count)).map(({ source }) => [source, count] as const),
    ),
  )
}

/** nft lists a token as a number without leading zeros. */
const digitsOf = (token: string): string => token.replace(/^0x/, '').padStart(32, '0')

/**
 * Computes what a table holds after an install: the contents of the earlier table, if there was
 * one, with the used tokens and sequences of the given state; else the given state.
 *
 * @param now - seconds since 1970.
 */
export function heldBy(
  { table, doors }: { readonly table: string; readonly doors: readonly DoorSummary[] },
  before: Listing | undefined,
  state: KnockState | undefined,
  now: number,
): KnockState {
  const given = state && asOf(state, 1000 * now)
  if (!before && given) return given
  const nothing: Listing = { sets: new Map(), counters: new Map() }
  const found = viewState(table, doors, before ? standingSets(before) : nothing, 1000 * now)
  if (!given) return found
  return {
    ...found,
    tokens: [...given.tokens, ...found.tokens],
    sequences: [...given.sequences, ...found.sequences],
  }
}
