// The counters of the installed table and the names of the wanted ones → the counters that take
// over packets from one that goes. Pure.
import { UNLOGGED_COUNTER, unloggedCounter } from '../automaton/language/names.js'
import type { Part } from '../nft/parts.js'

const packetsOf = (part: Part | undefined): number => Number(part?.content['packets'] ?? 0)

/**
 * A door counts its refused packets that were not logged apart from the others. If the log goes,
 * they belong to the others; if the door goes, to the table's events that were not logged.
 *
 * @param standing - by kind and name.
 * @param wanted - the kinds and names.
 * @returns the packets with which such a counter begins, by its name.
 */
export function inheritedCounts(
  standing: ReadonlyMap<string, Part>,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const [key, part] of standing) {
    const { kind, name } = part
    const own = name.slice(unloggedCounter('').length)
    if (kind !== 'counter' || name !== unloggedCounter(own) || wanted.has(key)) continue
    const heir = [own, UNLOGGED_COUNTER].find((counter) => wanted.has(`counter ${counter}`))
    if (heir === undefined || packetsOf(part) === 0) continue
    const before = counts.get(heir) ?? packetsOf(standing.get(`counter ${heir}`))
    counts.set(heir, before + packetsOf(part))
  }
  return counts
}
