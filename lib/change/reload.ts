// The document that makes a table anew, and nft's listing of the one that stands → what changes one
// into the other. Pure.
//
// The kernel takes a packet's rules from before or after a change as a whole, but looks elements up
// as they are at that moment. So a packet under way in the old rules can be led by a new element.
// It must never come to a chain that has no old rules, since at the end of that it would be let in,
// nor miss what led it to a door: chains stay the same objects where both tables have them, a map
// that led packets stays behind, and of other maps and constant sets only those elements change
// that differ.

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
import { isSpent, isTimedByRules } from './kept.js'
import { retiring } from './retired.js'

/**
 * The most sets of what has been used at doors, or in sequences, that the new table does not know.
 */
const MOST_SPENT = 1000

/**
 * Rewrites a document for a table that stands; nft does all of it or nothing. Rules are made anew.
 * Counters, and the timed sets that are to be kept, stay as they are; one of another size takes its
 * elements over as they are listed, and what packets have added since is lost. What has been used
 * at doors that are gone stays remembered.
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

/** The sets that hold what has been used and are not in the document, the newest last. */
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
  /** Those that stay the same objects, by kind and name. */
  readonly #staying: ReadonlySet<string>
  /** Of these, what packets under way still need, and nothing else. */
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
    const staying = [...this.#wanted].flatMap(([key, part]) =>
      this.#stays(key, part) ? [key] : [],
    )
    const wanted = new Set(this.#wanted.keys())
    const beyond = spentBeyond(this.#standing.values(), wanted).slice(-MOST_SPENT)
    this.#retired = retiring(listed, this.#standing, wanted)
    this.#staying = new Set([...staying, ...beyond.map((name) => `set ${name}`), ...this.#retired])
  }

  render(): NftCommand[] {
    const { table } = this.#here
    return [
      // Rules first: they hold on to what they name.
      { flush: { table: { family: 'inet', name: table } } },
      ...this.#leavingEntries(),
      ...(['map', 'chain', 'set', 'counter'] as const).flatMap((kind) => this.#gone(kind)),
      ...this.#content.flatMap((command) => this.#made(command)),
    ]
  }

  #stays(key: string, part: Part): boolean {
    const standing = this.#standing.get(key)
    if (!standing) return false
    const isTimed = part.kind === 'set' && !isConstant(part)
    const ignoresTimeout = isTimed && isTimedByRules(part.name)
    if (shapeOf(standing, ignoresTimeout) !== shapeOf(part, ignoresTimeout)) return false
    return isTimed ? this.#keeps(part.name) : part.kind !== 'set' || isConstant(standing)
  }

  /** What stays of the old maps must not lead to chains that go. */
  #leavingEntries(): NftCommand[] {
    return [...this.#standing].flatMap(([key, { kind, name, elements }]): NftCommand[] => {
      if (kind !== 'map' || this.#retired.has(key)) return []
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
    if (!this.#staying.has(key)) return [command, ...this.#carried(part)]
    return kind === 'set' && isConstant(part) ? this.#difference(part) : []
  }

  /** The entries of a map, without those that it has already. */
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

  /** What a timed set of another size takes over. */
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
