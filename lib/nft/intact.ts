// Whether a table, as listed, is still what its document made: the digest alone would not show a hand's changes. Pure.
import type { NftDocument } from './document.js'
import type { Listing } from './listing.js'

/** Compares chains with the comments of their rules, sets, maps and counters; not what the sets hold. */
export function isIntact(listing: Listing, document: NftDocument): boolean {
  const expected = expectedOf(document)
  return (
    sameKeys(expected.chains, listing.chains) &&
    sameKeys(expected.sets, listing.sets) &&
    sameKeys(expected.maps, listing.maps) &&
    sameKeys(expected.counters, listing.counters) &&
    [...expected.maps].every(([name, elements]) => listing.maps.get(name) === elements) &&
    [...expected.chains].every(([name, comments]) => sameList(comments, listing.chains.get(name)))
  )
}

function expectedOf({ nftables }: NftDocument) {
  const chains = new Map<string, string[]>()
  const sets = new Map<string, true>()
  const maps = new Map<string, number>()
  const counters = new Map<string, true>()
  for (const command of nftables) {
    if (!('add' in command)) continue
    const object = command.add
    if ('chain' in object) chains.set(object.chain.name, [])
    else if ('rule' in object) chains.get(object.rule.chain)?.push(object.rule.comment ?? '')
    else if ('set' in object) sets.set(object.set.name, true)
    else if ('map' in object) maps.set(object.map.name, 0)
    else if ('counter' in object) counters.set(object.counter.name, true)
    else if ('element' in object) maps.set(object.element.name, object.element.elem.length)
  }
  return { chains, sets, maps, counters }
}

const sameKeys = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean =>
  a.size === b.size && [...a.keys()].every((key) => b.has(key))

const sameList = (a: readonly string[], b: readonly string[] | undefined): boolean =>
  a.length === b?.length && a.every((value, index) => value === b[index])
