// Owners with their address blocks → the owners whose blocks meet a given one, without comparing
// all with all. Pure.
import { formatCidr, networkOf } from '../model/address.js'
import type { Cidr, Family } from '../model/packet-model.js'

/** The most owners that are kept for one block: a caller needs some of them, not all. */
const MOST = 3

/** An index of owners by their blocks. An owner without blocks is everywhere. */
export class AddressIndex<T> {
  readonly #lengths: Readonly<Record<Family, readonly number[]>>
  readonly #all: T[] = []
  readonly #everywhere: T[] = []
  readonly #at = new Map<string, T[]>()
  /** Owners of narrower blocks, by each wider block around them. */
  readonly #within = new Map<string, T[]>()

  /** @param lengths - the prefix lengths of all blocks that will be added or looked up. */
  constructor(lengths: Readonly<Record<Family, readonly number[]>>) {
    this.#lengths = lengths
  }

  add(blocks: readonly Cidr[], owner: T): void {
    keep(this.#all, owner)
    if (blocks.length === 0) keep(this.#everywhere, owner)
    for (const block of blocks) {
      keepAt(this.#at, formatCidr(block), owner)
      for (const wider of this.#around(block)) keepAt(this.#within, wider, owner)
    }
  }

  /**
   * Finds owners whose blocks meet the given ones, at most three for each block. Empty if there are
   * none.
   */
  meeting(blocks: readonly Cidr[]): ReadonlySet<T> {
    if (blocks.length === 0) return new Set(this.#all)
    const found = new Set(this.#everywhere)
    const note = (owners: readonly T[] = []) => {
      for (const owner of owners) found.add(owner)
    }
    for (const block of blocks) {
      const own = formatCidr(block)
      note(this.#at.get(own))
      note(this.#within.get(own))
      for (const wider of this.#around(block)) note(this.#at.get(wider))
    }
    return found
  }

  /** The wider blocks around a block, of the known lengths. */
  #around(block: Cidr): string[] {
    const { family, prefixLength } = block
    return this.#lengths[family]
      .filter((length) => length < prefixLength)
      .map((length) => formatCidr(networkOf(block, length)))
  }
}

/** Gathers the prefix lengths of blocks, for an index. */
export function lengthsOf(blocks: Iterable<Cidr>): Record<Family, number[]> {
  const lengths = { 4: new Set<number>(), 6: new Set<number>() }
  for (const { family, prefixLength } of blocks) lengths[family].add(prefixLength)
  return { 4: [...lengths[4]], 6: [...lengths[6]] }
}

function keep<T>(owners: T[], owner: T): void {
  if (owners.length < MOST && !owners.includes(owner)) owners.push(owner)
}

function keepAt<T>(map: Map<string, T[]>, key: string, owner: T): void {
  const owners = map.get(key)
  if (owners) keep(owners, owner)
  else map.set(key, [owner])
}
