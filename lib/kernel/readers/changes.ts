// nftables' notifications of a transaction → one summary for each table. Pure
// (include/uapi/linux/netfilter/nf_tables.h).
import {
  DATA_VALUE,
  ELEMENT,
  LIST,
  NFGEN_HEADER,
  NFPROTO,
  NFT,
  SUBSYSTEM,
} from '../netlink/numbers.js'
import { type Attribute, type NetlinkMessage, parseAttributes } from '../netlink/wire.js'

/** NFNLGRP_NFTABLES: the multicast group of nftables' notifications. */
export const CHANGES_GROUP = 7
/** What a transaction did to an element of a watched set. */
export interface ElementChange {
  readonly set: string
  /** The key's bytes in hexadecimal. */
  readonly key: string
  /** Milliseconds until it expires; null: it was deleted; absent: it does not expire. */
  readonly expiresIn?: number | null
}

/**
 * What one transaction did to one table. A change of thousands of elements comes in parts. The
 * kernel does not report elements that packets change.
 */
export interface TableChange {
  readonly table: string
  readonly event: 'made' | 'removed' | 'changed'
  /** Whether chains, rules, sets or objects were added or deleted. */
  readonly shape: boolean
  /** The sets whose elements changed, without those in `elements`. */
  readonly sets: readonly string[]
  readonly elements: readonly ElementChange[]
  /** Whether `elements` is incomplete, so that the table must be listed. */
  readonly more: boolean
  /** Set in all parts but the first: only their `elements` are news. */
  readonly isLater?: true
}

interface Collected {
  event: TableChange['event']
  shape: boolean
  readonly sets: Set<string>
  readonly elements: Map<string, ElementChange>
  more: boolean
}

/** The most elements of a table that are kept until a transaction ends. */
const MOST = 131_072
/** Elements in a part: a line with this many is read in a few milliseconds. */
const PART = 4096

/** Collects the messages of a transaction until the kernel's message about its end. */
export class ChangeCollector {
  readonly #isWatched: (set: string) => boolean
  #tables = new Map<string, Collected>()

  /** @param isWatched - whether a set's elements are reported one by one. */
  constructor(isWatched: (set: string) => boolean) {
    this.#isWatched = isWatched
  }

  /**
   * Takes a message. Returns what the transaction did if the message ends it, otherwise nothing.
   * @throws NetlinkError `malformed`
   */
  take({ type, payload }: NetlinkMessage): readonly TableChange[] {
    if ((type & ~0xff) !== SUBSYSTEM.nftables) return []
    const kind = type & 0xff
    if (kind === NFT.newGeneration) return this.#end()
    const [family] = payload
    if (family !== NFPROTO.inet && family !== NFPROTO.netdev) return []
    const attributes = parseAttributes(payload.subarray(NFGEN_HEADER))
    const table = textOf(attributes, LIST.table)
    if (table === undefined) return []
    const collected = this.#collect(table)
    if (family === NFPROTO.netdev) {
      collected.shape = true
    } else if (kind === NFT.newElements || kind === NFT.deleteElements) {
      this.#takeElements(collected, attributes, kind === NFT.deleteElements)
    } else {
      collected.shape = true
      if (kind === NFT.newTable) collected.event = 'made'
      if (kind === NFT.deleteTable) collected.event = 'removed'
    }
    return []
  }

  #collect(table: string): Collected {
    const known = this.#tables.get(table)
    if (known) return known
    const fresh: Collected = {
      event: 'changed',
      shape: false,
      sets: new Set(),
      elements: new Map(),
      more: false,
    }
    this.#tables.set(table, fresh)
    return fresh
  }

  #takeElements(collected: Collected, attributes: readonly Attribute[], isGone: boolean): void {
    const set = textOf(attributes, LIST.set) ?? ''
    if (!this.#isWatched(set)) {
      collected.sets.add(set)
      return
    }
    const list = contentOf(attributes, LIST.elements) ?? new Uint8Array()
    for (const { value } of parseAttributes(list)) {
      const parts = parseAttributes(value)
      const key = keyOf(parts)
      const name = `${set} ${key}`
      if (collected.elements.size >= MOST && !collected.elements.has(name)) {
        collected.more = true
        continue
      }
      const expiresIn = isGone ? null : lifeOf(parts)
      collected.elements.set(name, { set, key, ...(expiresIn !== undefined && { expiresIn }) })
    }
  }

  #end(): readonly TableChange[] {
    const changes = [...this.#tables].flatMap(([table, collected]) => partsOf(table, collected))
    this.#tables = new Map()
    return changes
  }
}

function partsOf(table: string, { sets, elements, more, ...rest }: Collected): TableChange[] {
  const all = [...elements.values()]
  const first: TableChange = {
    table,
    ...rest,
    sets: [...sets].slice(0, PART),
    elements: all.slice(0, PART),
    more,
  }
  const parts = [first]
  for (let from = PART; from < all.length; from += PART) {
    const elements = all.slice(from, from + PART)
    parts.push({ ...first, elements, more: false, isLater: true })
  }
  return parts
}

const contentOf = (attributes: readonly Attribute[], wanted: number): Uint8Array | undefined =>
  attributes.find(({ type }) => type === wanted)?.value

function textOf(attributes: readonly Attribute[], wanted: number): string | undefined {
  const value = contentOf(attributes, wanted)
  return value && Buffer.from(value).toString('latin1').replace(/\0.*$/s, '')
}

function keyOf(parts: readonly Attribute[]): string {
  const key = contentOf(parts, ELEMENT.key)
  const value = key && contentOf(parseAttributes(key), DATA_VALUE)
  return value ? Buffer.from(value).toString('hex') : ''
}

/** Returns the time that an element has left, or its timeout if that is not in the message. */
function lifeOf(parts: readonly Attribute[]): number | undefined {
  const value = contentOf(parts, ELEMENT.expiration) ?? contentOf(parts, ELEMENT.timeout)
  if (value?.length !== 8) return undefined
  return Number(new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0))
}
