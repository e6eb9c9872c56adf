// The installed table and the wanted one → the parts that packets under way still need. Pure.
//
// A packet's rules are those of one moment, but the kernel looks elements up as they are. An
// element that is taken out of a map is gone also for packets that are still in the old rules, and
// such a packet would pass. So a map of ports that the old rules look up stays until the next
// change, and so do the chains that it leads to, without rules. Maps of knocks need not stay: a
// packet that misses its step is dropped.
import { isOfPorts } from '../automaton/language/names.js'
import { isContent, listOf, type Part } from '../nft/parts.js'

/**
 * Finds the retired parts, by kind and name: the maps of ports for which `isRetired` is true, and
 * the chains that they lead to, without those that are wanted.
 */
function retiredParts(
  standing: ReadonlyMap<string, Part>,
  wanted: ReadonlySet<string>,
  isRetired: (map: string) => boolean,
): Set<string> {
  const retired = [...standing].flatMap(([key, { kind, name, elements }]) =>
    kind === 'map' && isOfPorts(name) && !wanted.has(key) && isRetired(name)
      ? [key, ...elements.flatMap(targetOf).map((chain) => `chain ${chain}`)]
      : [],
  )
  return new Set(retired.filter((key) => !wanted.has(key)))
}

/**
 * Finds the parts that the change to `wanted` leaves behind: the maps of ports that the installed
 * rules look up, and their chains.
 */
export function retiring(
  objects: readonly unknown[],
  standing: ReadonlyMap<string, Part>,
  wanted: ReadonlySet<string>,
): Set<string> {
  const leading = new Set(objects.flatMap(mapsOf))
  return retiredParts(standing, wanted, (map) => leading.has(map))
}

/** Finds the parts that an earlier change left behind. */
export const retiredBefore = (
  standing: ReadonlyMap<string, Part>,
  wanted: ReadonlySet<string>,
): Set<string> => retiredParts(standing, wanted, () => true)

/** The names of the maps that a rule looks up. */
function mapsOf(object: unknown): string[] {
  const rule = isContent(object) ? object['rule'] : undefined
  return listOf(isContent(rule) ? rule['expr'] : undefined).flatMap((statement) => {
    const look = isContent(statement) ? statement['vmap'] : undefined
    const map = isContent(look) ? look['data'] : undefined
    return typeof map === 'string' ? [map.replace(/^@/, '')] : []
  })
}

/** The name of the chain to which an entry of a map leads, if any. */
function targetOf(entry: unknown): string[] {
  const [, verdict] = listOf(entry)
  const [to] = Object.values(isContent(verdict) ? verdict : {})
  return isContent(to) && typeof to['target'] === 'string' ? [to['target']] : []
}
