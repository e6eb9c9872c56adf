// Sets with their elements, and new elements → nft JSON that adds the new ones for which there is
// room. Pure.
import type { ElementKey, NftCommand, NftValue } from '../nft/document.js'
import type { ListedSet } from '../nft/listing.js'

/** Elements per command. A command with millions would be one string that is too long for JSON. */
const AT_ONCE = 50_000

/** Sets by nft's names, with their size and the elements that they hold. */
export type HeldSets = ReadonlyMap<string, Pick<ListedSet, 'size' | 'elements'>>

/**
 * Gathers the elements to add, by set. Never more than a set has room for: if one element finds no
 * room, nft refuses the whole transaction.
 */
export class Additions {
  readonly #sets: HeldSets
  readonly #standing = new Map<string, ReadonlySet<string>>()
  readonly #added = new Map<string, NftValue[]>()

  constructor(sets: HeldSets) {
    this.#sets = sets
  }

  /**
   * @param timeout - seconds; if undefined, the element stays for ever.
   * @returns `unplaced` if there is no such set, or if it is full.
   */
  put(name: string, key: ElementKey, timeout?: number): 'added' | 'present' | 'unplaced' {
    const set = this.#sets.get(name)
    if (!set) return 'unplaced'
    const standing = this.#keysOf(name, set.elements)
    // nft's versions list the constant key in several ways, so any element counts.
    if (standing.has(comparable(key)) || (key === 0 && standing.size > 0)) return 'present'
    const added = this.#added.get(name) ?? []
    if (set.size !== undefined && set.elements.length + added.length >= set.size) return 'unplaced'
    added.push(timeout === undefined ? key : { elem: { val: key, timeout } })
    this.#added.set(name, added)
    return 'added'
  }

  render(table: string): NftCommand[] {
    return [...this.#added].flatMap(([name, elements]) => {
      const parts = Math.ceil(elements.length / AT_ONCE)
      return Array.from({ length: parts }, (_, part): NftCommand => {
        const elem = elements.slice(part * AT_ONCE, (part + 1) * AT_ONCE)
        return { add: { element: { family: 'inet', table, name, elem } } }
      })
    })
  }

  #keysOf(name: string, elements: ListedSet['elements']): ReadonlySet<string> {
    const known = this.#standing.get(name)
    if (known) return known
    const keys = new Set(elements.map(({ key }) => comparable(key.join(' '))))
    this.#standing.set(name, keys)
    return keys
  }
}

/** nft lists a token without its leading zeros. */
const comparable = (key: ElementKey): string =>
  (typeof key === 'object' ? key.concat.join(' ') : String(key)).replace(/^0x0*/, '0x')
