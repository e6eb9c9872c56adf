// A table that stands and the one that is wanted → what the packets under way still need of the
// first. Pure.
//
// A packet's rules are those of one moment, but the kernel looks elements up as they are: taken out
// of a map, they are gone for packets that are still in the old rules too, and such a packet would
// pass. So a map by which rules lead stays behind when others take their place, until the table is
// changed again; so do the chains that it names, empty. Of knocks no map stays: a packet that
// misses its step is dropped.
import { isOfPorts } from '../automaton/language/names.js'
import { isContent, listOf, type Part } from '../nft/parts.js'

/**
 * By kind and name: maps of ports that `isRetired` says so of, and the chains that they lead to;
 * none that is wanted.
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
 * What a change that brings `wanted` leaves behind: the maps by which the rules that stand lead.
 */
export function retiring(
  objects: readonly unknown[],
  standing: ReadonlyMap<string, Part>,
  wanted: ReadonlySet<string>,
): Set<string> {
  const leading = new Set(objects.flatMap(mapsOf))
  return retiredParts(standing, wanted, (map) => leading.has(map))
}

/** What a change before has left behind. */
export const retiredBefore = (
  standing: ReadonlyMap<string, Part>,
  wanted: ReadonlySet<string>,
): Set<string> => retiredParts(standing, wanted, () => true)

/** The maps that a rule looks up. */
function mapsOf(object: unknown): string[] {
  const rule = isContent(object) ? object['rule'] : undefined
  return listOf(isContent(rule) ? rule['expr'] : undefined).flatMap((statement) => {
    const look = isContent(statement) ? statement['vmap'] : undefined
    const map = isContent(look) ? look['data'] : undefined
    return typeof map === 'string' ? [map.replace(/^@/, '')] : []
  })
}

/** The chain to which an entry of a map leads. */
function targetOf(entry: unknown): string[] {
  const [, verdict] = listOf(entry)
  const [to] = Object.values(isContent(verdict) ? verdict : {})
  return isContent(to) && typeof to['target'] === 'string' ? [to['target']] : []
}
