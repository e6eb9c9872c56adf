// Changes and queries of a table's elements → a small interface; and its implementation by nft's
// documents and listings.
import type { ElementDocument, ElementKey, NftValue } from '../nft/document.js'
import { type ListedElement, parseListing } from '../nft/listing.js'
import type { CallOptions, Nft } from './nft.js'

/** One of nft's sets. */
export interface SetQuery {
  readonly table: string
  /** nft's name of it, with its family. */
  readonly set: string
  /** Only through netlink: keys of any type are given as bytes in hexadecimal. */
  readonly isRaw?: boolean
}

/** What a set or map holds: nft's types of the parts of a key, and of a map's values. */
export interface ElementForm {
  readonly key: readonly string[]
  readonly data?: string | undefined
}

/**
 * Changes and lists sets of sources, by nft or through netlink. Results and errors are the same:
 * the same contract tests run on both.
 */
export interface Elements {
  /**
   * Executes all changes of a document, or none.
   * @throws NftError `not-found` if the set or an element to delete does not exist.
   */
  change(document: ElementDocument, options?: CallOptions): Promise<void>
  /**
   * Returns the elements that a set has of these keys.
   * @throws NftError `not-found` if there is no such set.
   */
  find(
    query: SetQuery,
    keys: readonly ElementKey[],
    options?: CallOptions,
  ): Promise<readonly ListedElement[]>
  /**
   * Lists a set part by part, each element once. Elements that come or go meanwhile may be missing.
   * @throws NftError `not-found` if there is no such set.
   * @throws NetlinkError `interrupted` if others kept changing the ruleset during the listing.
   */
  list(query: SetQuery, options?: CallOptions): AsyncIterable<readonly ListedElement[]>
  /**
   * Returns all elements of a set or map as nft's JSON has them, but without counters; undefined if
   * only nft can list them.
   * @throws NftError `not-found` if there is no such set or map.
   * @throws NetlinkError `interrupted` as `list`.
   */
  listed(
    query: SetQuery,
    form: ElementForm,
    options?: CallOptions,
  ): Promise<readonly NftValue[] | undefined>
  /** @throws NftError `not-found` if there is no such set. */
  require(query: SetQuery, options?: CallOptions): Promise<void>
  /** Whether a list comes in parts, so that leaving it early saves the cost of the rest. */
  streams(options?: CallOptions): Promise<boolean>
}

const textOf = (key: ElementKey): string =>
  typeof key === 'object' ? key.concat.join(' ') : String(key)

/**
 * Uses nft's documents and listings: works wherever nft does, at the cost of a process for each
 * call.
 */
export class DocumentElements implements Elements {
  readonly #nft: Nft

  constructor(nft: Nft) {
    this.#nft = nft
  }

  async change(document: ElementDocument, options?: CallOptions): Promise<void> {
    await this.#nft.apply(document, options)
  }

  async find(
    query: SetQuery,
    keys: readonly ElementKey[],
    options?: CallOptions,
  ): Promise<readonly ListedElement[]> {
    const wanted = new Set(keys.map(textOf))
    const elements = await this.#elements(query, options)
    return elements.filter(({ key }) => wanted.has(key.join(' ')))
  }

  async *list(query: SetQuery, options?: CallOptions): AsyncIterable<readonly ListedElement[]> {
    yield await this.#elements(query, options)
  }

  async listed(): Promise<undefined> {
    return undefined
  }

  async require(query: SetQuery, options?: CallOptions): Promise<void> {
    await this.#nft.list(query, options)
  }

  async streams(): Promise<boolean> {
    return false
  }

  async #elements(query: SetQuery, options?: CallOptions): Promise<readonly ListedElement[]> {
    const { sets } = parseListing(await this.#nft.list(query, options))
    return sets.get(query.set)?.elements ?? []
  }
}
