// The document of the wanted table, and nft's listing of the installed one → the transaction that
// changes one into the other. Pure.
//
// The kernel takes a packet's rules from before or after a change as a whole, but it looks elements
// up as they are at that moment. So a new element can lead a packet that is still in the old rules.
// It must never lead that packet to a chain without old rules, since the packet would pass at the
// end of it. Nor may the packet miss the element that led it to a door. Therefore chains that both
// tables have stay the same objects, a map that led packets stays behind, and in other maps and
// constant sets only the elements that differ are changed.

import type { NftCommand, NftDocument, NftTarget, NftValue } from '../nft/document.js'
import { type Listing, parseListing } from '../nft/listing.js'
import {
  elementText,
  isConstant,
  listedObjects,
  type Part,
  partsOf,
  shapeOf,
} from '../nft/parts.js'
import { renderCarried } from './carry.js'
import { inheritedCounts } from './inherited.js'
import { isSpent, isTimedByRules } from './kept.js'
import { retiring } from './retired.js'

/**
 * The most sets of used tokens or sequences that are kept although the new table does not have
 * them.
 */
const MOST_SPENT = 1000

/**
 * Renders the change of an installed table as one transaction. Rules are made anew. Counters, and
 * the timed sets that are kept, stay as they are; a counter that takes over another one begins with
 * the packets of both. A timed set of another size takes over its
 * elements as they are listed; elements that packets have added since are lost. Used tokens and
 * sequences of doors that are gone stay, up to 1000 sets.
 *
 * @param keeps - whether a timed set that both tables have keeps its elements.
 * @param standing - the listing, parsed.
 */
export function renderReload(
  document: NftDocument,
  listing: unknown,
  keeps: (set: string) => boolean,
  standing: Listing = parseListing(listing),
): NftDocument {
  return { nftables: new Reload(document, listing, keeps, standing).render() }
}

/** Finds the sets of used tokens and sequences that the document does not have, the newest last. */
export function spentBeyond(standing: Iterable<Part>, wanted: ReadonlySet<string>): string[] {
  return [...standing].flatMap(({ kind, name, elements }) =>
    kind === 'set' && isSpent(name) && !wanted.has(`set ${name}`) && elements.length > 0
      ? [name]
      : [],
  )
}

class Reload {
  readonly #here: { readonly family: 'inet'; readonly table: string }
  readonly #content: readonly NftCommand[]
  readonly #wanted: ReadonlyMap<string, Part>
  readonly #standing: ReadonlyMap<string, Part>
  readonly #listing: Listing
  readonly #keeps: (set: string) => boolean
  /** Packets with which counters begin, by name. */
  readonly #inherited: ReadonlyMap<string, number>
  /** The parts that stay the same objects, by kind and name. */
  readonly #staying: ReadonlySet<string>
  /** Those of them that only packets under way still need. */
  readonly #retired: ReadonlySet<string>

  constructor(
    { nftables }: NftDocument,
    listing: unknown,
    keeps: (set: string) => boolean,
    standing: Listing,
  ) {
    const [add, _delete, _add, ...content] = nftables
    if (!add || !('add' in add && 'table' in add.add)) throw new Error('unreachable: no table')
    this.#here = { family: 'inet', table: add.add.table.name }
    this.#content = content
    const objects = content.flatMap((command) => ('add' in command ? [command.add] : []))
    this.#wanted = partsOf(objects)
    const listed = listedObjects(listing)
    this.#standing = partsOf(listed)
    this.#listing = standing
    this.#keeps = keeps
    const wanted = new Set(this.#wanted.keys())
    this.#inherited = inheritedCounts(this.#standing, wanted)
    const staying = [...this.#wanted].flatMap(([key, part]) =>
      this.#stays(key, part) ? [key] : [],
    )
    const beyond = spentBeyond(this.#standing.values(), wanted).slice(-MOST_SPENT)
    this.#retired = retiring(listed, this.#standing, wanted)
    this.#staying = new Set([...staying, ...beyond.map((name) => `set ${name}`), ...this.#retired])
  }

  render(): NftCommand[] {
    const { table } = this.#here
    return [
      // Rules first: the kernel refuses to delete what a rule refers to.
      { flush: { table: { family: 'inet', name: table } } },
      ...this.#leavingEntries(),
      ...(['map', 'chain', 'set', 'counter'] as const).flatMap((kind) => this.#gone(kind)),
      ...this.#content.flatMap((command) => this.#made(command)),
    ]
  }

  #stays(key: string, part: Part): boolean {
    const standing = this.#standing.get(key)
    if (!standing || (part.kind === 'counter' && this.#inherited.has(part.name))) return false
    const isTimed = (part.kind === 'set' || part.kind === 'map') && !isConstant(part)
    const ignoresTimeout = isTimed && isTimedByRules(part.name)
    if (shapeOf(standing, ignoresTimeout) !== shapeOf(part, ignoresTimeout)) return false
    if (isTimed) return this.#keeps(part.name)
    return part.kind !== 'set' || isConstant(standing)
  }

  /** Removes the entries that lead to chains which are deleted. */
  #leavingEntries(): NftCommand[] {
    return [...this.#standing].flatMap(([key, part]): NftCommand[] => {
      const { kind, name, elements } = part
      if (kind !== 'map' || !isConstant(part) || this.#retired.has(key)) return []
      if (!this.#staying.has(key)) return [{ flush: { map: { ...this.#here, name } } }]
      const wanted = textsOf(this.#wanted.get(key)?.elements ?? [])
      const elem = elements.filter((element) => !wanted.has(elementText(element))) as NftValue[]
      return elem.length > 0 ? [{ delete: { element: { ...this.#here, name, elem } } }] : []
    })
  }

  #gone(kind: Part['kind']): NftCommand[] {
    return [...this.#standing].flatMap(([key, part]): NftCommand[] => {
      if (part.kind !== kind || this.#staying.has(key)) return []
      const target = { [kind]: { ...this.#here, name: part.name } } as unknown as NftTarget
      return [{ delete: target }]
    })
  }

  #made(command: NftCommand): NftCommand[] {
    if (!('add' in command)) return [command]
    const [[kind, { name }]] = Object.entries(command.add) as [[string, { name: string }]]
    if (kind === 'rule') return [command]
    if (kind === 'element') return this.#entries(command, name)
    const key = `${kind} ${name}`
    const part = this.#wanted.get(key)
    if (!part) return [command]
    if ('counter' in command.add && !this.#staying.has(key)) {
      const packets = this.#inherited.get(name)
      const counter = { ...command.add.counter, ...(packets && { packets, bytes: 0 }) }
      return [{ add: { counter } }]
    }
    if (!this.#staying.has(key)) return [command, ...this.#carried(part)]
    return kind === 'set' && isConstant(part) ? this.#difference(part) : []
  }

  /** Adds the entries that a map does not have yet. */
  #entries(command: NftCommand, name: string): NftCommand[] {
    const standing = this.#standing.get(`map ${name}`)
    if (!standing || !this.#staying.has(`map ${name}`)) return [command]
    return this.#added(name, standing.elements, this.#wanted.get(`map ${name}`)?.elements ?? [])
  }

  #added(name: string, from: readonly unknown[], to: readonly unknown[]): NftCommand[] {
    const standing = textsOf(from)
    const elem = to.filter((element) => !standing.has(elementText(element))) as NftValue[]
    return elem.length > 0 ? [{ add: { element: { ...this.#here, name, elem } } }] : []
  }

  #difference({ name, elements }: Part): NftCommand[] {
    const standing = this.#standing.get(`set ${name}`)?.elements ?? []
    const wanted = textsOf(elements)
    const elem = standing
      .filter((element) => !wanted.has(elementText(element)))
      .map((element) => keyOf(element as NftValue))
    const leaving: NftCommand[] =
      elem.length > 0 ? [{ delete: { element: { ...this.#here, name, elem } } }] : []
    return [...leaving, ...this.#added(name, standing, elements)]
  }

  /** Carries the elements of a timed set over into one of another size. */
  #carried(part: Part): NftCommand[] {
    const standing = this.#standing.get(`${part.kind} ${part.name}`)
    if (!standing || part.kind !== 'set' || isConstant(part) || !this.#keeps(part.name)) return []
    if (JSON.stringify(standing.content['type']) !== JSON.stringify(part.content['type'])) return []
    const elements = this.#listing.sets.get(part.name)?.elements ?? []
    const { size } = part.content
    const room = typeof size === 'number' ? size : undefined
    return renderCarried(this.#here.table, part.name, elements, room)
  }
}

const textsOf = (elements: readonly unknown[]): Set<string> => new Set(elements.map(elementText))

/** An element without its comment. */
function keyOf(element: NftValue): NftValue {
  const isObject = typeof element === 'object' && element !== null && !Array.isArray(element)
  const own = isObject ? element['elem'] : undefined
  return typeof own === 'object' && own !== null && !Array.isArray(own)
    ? (own['val'] as NftValue)
    : element
}
