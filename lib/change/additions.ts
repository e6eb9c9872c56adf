// Elements for sets that hold some already → nft JSON that adds those which are new and find room.
// Pure.
import type { NftCommand, NftValue } from '../nft/document.js'
import type { ListedSet } from '../nft/listing.js'

/** Elements of one command: one with millions would be a single string too long for JSON. */
const AT_ONCE = 50_000

/** Sets by nft's names, with their room and what they hold already. */
export type HeldSets = ReadonlyMap<string, Pick<ListedSet, 'size' | 'elements'>>

/**
 * The elements to be added, by set; none more than its set has room for, since a full one would
 * refuse them all.
 */
export class Additions {
  readonly #sets: HeldSets
  readonly #standing = new Map<string, ReadonlySet<string>>()
  readonly #added = new Map<string, NftValue[]>()

  constructor(sets: HeldSets) {
    this.#sets = sets
  }

  /** @param timeout - seconds; without one it stays. */
  put(name: string, key: string | number, timeout?: number): 'added' | 'present' | 'unplaced' {
    const set = this.#sets.get(name)
    if (!set) return 'unplaced'
    const standing = this.#keysOf(name, set.elements)
    // A key that is the same for all is listed in more than one way.
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
    const keys = new Set(elements.map(({ key: [first = ''] }) => comparable(first)))
    this.#standing.set(name, keys)
    return keys
  }
}

/** nft lists a token without the zeros that it begins with. */
const comparable = (key: string | number): string => String(key).replace(/^0x0*/, '0x')
