// The small interface `Nft` to the kernel's ruleset. Types only.
import type { NftDocument, NftFamily } from '../nft/document.js'

export interface CallOptions {
  /** Who asks, for error messages. */
  readonly operation?: string
  readonly signal?: AbortSignal
  /** The most milliseconds that nft may take for this call; then it is ended with `timed-out`. */
  readonly timeout?: number
}

/** What can be listed: a table whole, or one chain, set or map of it. */
export interface ListQuery {
  /** Of a table listed whole. Default: inet. */
  readonly family?: NftFamily
  readonly table: string
  readonly chain?: string
  readonly set?: string
  readonly map?: string
  /**
   * Of a whole table: without the elements of its sets and maps, so that it costs the same however
   * many sources they hold. An `Nft` that cannot do that lists the elements as well.
   */
  readonly terse?: boolean
}

/**
 * What knocklib asks of nftables. `createNft` makes the real one, `FakeNft` keeps a ruleset in
 * memory; both keep the same promises, which one table of cases runs through both.
 */
export interface Nft {
  /**
   * The kernel's network namespace that it works in: a name as `ip netns` knows it, or a path;
   * empty: this process's own. Absent, it is no kernel's, and there is nothing to watch.
   */
  readonly netns?: string
  /**
   * Does all commands of a document, or none of them.
   * @throws NftError
   */
  apply(document: NftDocument, options?: CallOptions): Promise<void>
  /**
   * Asks whether `apply` would succeed; changes nothing.
   * @throws NftError
   */
  check(document: NftDocument, options?: CallOptions): Promise<void>
  /**
   * Lists as nft's JSON does; `parseListing` reads it.
   * @throws ArgumentError if a name has other characters than letters, digits and _.
   * @throws ListingError if nft's answer is no JSON.
   * @throws NftError `not-found` if there is no such table, chain or set.
   */
  list(query: ListQuery, options?: CallOptions): Promise<unknown>
  /**
   * Lists the chains of all tables, without their rules, as nft's JSON does. Absent where there are
   * no other tables to know of.
   * @throws ListingError if nft's answer is no JSON.
   * @throws NftError
   */
  listChains?(options?: CallOptions): Promise<unknown>
  /**
   * The version as nft prints it, such as `1.0.6`.
   * @throws NftError
   */
  version(options?: CallOptions): Promise<string>
}

export interface NftOptions {
  /**
   * The nft binary. Default: the environment's KNOCKLIB_NFT, then `nft` on PATH, in /usr/sbin or in
   * /sbin.
   */
  readonly binary?: string
  /**
   * A network namespace to work in: a name as `ip netns` knows it, or a path. Default: this
   * process's own.
   */
  readonly netns?: string
  /** Milliseconds that one call may take. Default: 60,000. */
  readonly timeout?: number
}
