// What two tables say of themselves → which sets keep their elements when one takes the other's
// place. Pure.

import { BANNED, grantsSet, parseSetName, usedSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import type { About } from '../nft/about.js'
import { CONFIRM_SET } from '../nft/confirm.js'
import type { NftCommand } from '../nft/document.js'
import type { Listing } from '../nft/listing.js'
import { commonSet, familySet, parseFamilySet } from '../nft/names.js'

const parse = (name: string) => parseSetName(parseFamilySet(name)?.set ?? name)

/** What has been used must stay so, whatever else of the table changes. */
export const isSpent = (name: string): boolean => parse(name)?.role.kind === 'spent'

/**
 * Whether the rules give each element of such a set its time, so that the set's own does not
 * matter: grants and how they are used, and the sets that all doors share.
 */
export function isTimedByRules(name: string): boolean {
  const parsed = parse(name)
  if (!parsed) return true
  const { role } = parsed
  return /^(?:grants|used|claimed|begun|by-user)$/.test(role.kind)
}

/**
 * Says of a timed set that both tables have whether it keeps its elements: what belongs to a door
 * by its name, and to an attempt where the knock is the same. Of a table in a layout that is not
 * known only bans and what has been used: neither lets anybody in.
 */
export function keepsElements(
  before: About | undefined,
  attempts: ReadonlyMap<string, string>,
): (set: string) => boolean {
  return (name) => {
    if (isSpent(name)) return true
    if (!before) return parseFamilySet(name)?.set === BANNED
    if (name === CONFIRM_SET) return false
    const parsed = parse(name)
    const attempt = parsed && 'attempt' in parsed.role ? parsed.role.attempt : undefined
    if (!parsed || attempt === undefined) return true
    const key = `${parsed.door} ${attempt}`
    return before.attempts.has(key) && before.attempts.get(key) === attempts.get(key)
  }
}

/**
 * Takes the grants away that have been used more often than their doors allow now. Each is added
 * first: it may be gone since it was listed.
 */
export function renderExhausted(
  table: string,
  before: readonly DoorSummary[],
  after: readonly DoorSummary[],
  { sets }: Listing,
): NftCommand[] {
  const now = new Map(after.map((door) => [door.name, door]))
  return before.flatMap(({ name, connections: had = 0, scope }) => {
    const door = now.get(name)
    if (door?.connections === undefined || door.connections >= had || door.scope !== scope)
      return []
    const fewest = door.connections
    const places = scope === 'everyone' ? [commonSet] : FAMILIES
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

const FAMILIES = [(set: string) => familySet(set, 4), (set: string) => familySet(set, 6)] as const
