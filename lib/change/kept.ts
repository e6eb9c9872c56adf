// What two tables say of themselves → which sets keep their elements when one table replaces the
// other. Pure.

import { BANNED, grantsSet, parseSetName, usedSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { ADVANCED, STARTED } from '../automaton/sharing/names.js'
import type { About } from '../nft/about.js'
import { CONFIRM_SET } from '../nft/confirm.js'
import type { NftCommand } from '../nft/document.js'
import type { Listing } from '../nft/listing.js'
import { commonSet, familySet, parseFamilySet } from '../nft/names.js'
import { lengthIn } from '../spec/model/prefix.js'

const parse = (name: string) => parseSetName(parseFamilySet(name)?.set ?? name)

/**
 * Whether a set holds used tokens or sequences. They must stay used, whatever else of the table
 * changes.
 */
export const isSpent = (name: string): boolean => parse(name)?.role.kind === 'spent'

/**
 * Whether the rules give each element its timeout, so that the set's own does not matter. True for
 * grants and the sets that count their use, and for the sets that all doors share.
 */
export function isTimedByRules(name: string): boolean {
  const parsed = parse(name)
  if (!parsed) return true
  const { role } = parsed
  return /^(?:grants|used|claimed|begun|by-user)$/.test(role.kind)
}

/**
 * Decides for a timed set that both tables have whether it keeps its elements. A set of a door
 * does; a set of an attempt does if the knock is the same. Of a table in an unknown layout only
 * bans and used tokens and sequences are kept: they let nobody in.
 *
 * @param before - what the installed table says of itself; undefined if its layout is unknown.
 * @param attempts - the digests of the wanted table's attempts, as `digestAttempts` returns them.
 * @param doors - the wanted table's doors.
 */
export function keepsElements(
  before: About | undefined,
  attempts: ReadonlyMap<string, string>,
  doors: readonly DoorSummary[] = [],
): (set: string) => boolean {
  return (name) => {
    if (isSpent(name)) return true
    if (!before) return parseFamilySet(name)?.set === BANNED
    if (name === CONFIRM_SET) return false
    if (isOfAttempts(parseFamilySet(name)?.set ?? name)) return goOn(before, attempts, doors)
    const parsed = parse(name)
    const attempt = parsed && 'attempt' in parsed.role ? parsed.role.attempt : undefined
    if (!parsed || attempt === undefined) return true
    const key = `${parsed.door} ${attempt}`
    return before.attempts.has(key) && before.attempts.get(key) === attempts.get(key)
  }
}

/** Whether a set has the attempts of all shared doors. */
const isOfAttempts = (set: string): boolean => set === STARTED || set === ADVANCED

/** Whether each number of a shared knock means the same as before, so that attempts can go on. */
function goOn(
  before: About,
  attempts: ReadonlyMap<string, string>,
  doors: readonly DoorSummary[],
): boolean {
  const meant = meaningsOf(before.doors, before.attempts)
  return [...meaningsOf(doors, attempts)].every(
    ([number, meaning]) => (meant.get(number) ?? meaning) === meaning,
  )
}

/** By the number of each shared knock, its name and its digest. */
const meaningsOf = (
  doors: readonly DoorSummary[],
  attempts: ReadonlyMap<string, string>,
): Map<number, string> =>
  new Map(
    doors.flatMap(({ name, shared }) =>
      (shared?.knocks ?? []).map(({ attempt, number }) => {
        const key = `${name} ${attempt}`
        return [number, `${key} ${attempts.get(key)}`] as const
      }),
    ),
  )

/**
 * Deletes the grants that were used more often than their doors allow now. Each is added first,
 * since nft refuses to delete an element that has expired since the listing.
 */
export function renderExhausted(
  table: string,
  before: readonly DoorSummary[],
  after: readonly DoorSummary[],
  { sets }: Listing,
): NftCommand[] {
  const now = new Map(after.map((door) => [door.name, door]))
  return before.flatMap(({ name, connections: had = 0, scope, prefix }) => {
    const door = now.get(name)
    if (door?.connections === undefined || door.connections >= had || door.scope !== scope)
      return []
    const fewest = door.connections
    // Under another prefix the door has other sets, which are empty.
    const families = ([4, 6] as const).filter(
      (family) => lengthIn(prefix, family) === lengthIn(door.prefix, family),
    )
    const places =
      scope === 'everyone'
        ? [commonSet]
        : families.map((family) => (set: string) => familySet(set, family, prefix))
    const counts = Array.from({ length: had - fewest }, (_, index) => fewest + index)
    return places.flatMap((place) =>
      counts.flatMap((used) => {
        const elements = sets.get(place(usedSet(name, used)))?.elements ?? []
        if (elements.length === 0) return []
        const elem = elements.map(({ key: [source = ''] }) => (scope === 'everyone' ? 0 : source))
        const element = { family: 'inet', table, name: place(grantsSet(name)), elem } as const
        return [{ add: { element } }, { delete: { element } }]
      }),
    )
  })
}
