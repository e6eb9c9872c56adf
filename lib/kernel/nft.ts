// The small interface `Nft` to the kernel's ruleset. Types only.
import type { NftDocument, NftFamily } from '../nft/document.js'

export interface CallOptions {
  /** The name of the call, for error messages. */
  readonly operation?: string
  readonly signal?: AbortSignal
  /** Milliseconds that nft may take for this call. Then nft is ended: `timed-out`. */
  readonly timeout?: number
  /** Bytes that nft may answer to this call. Then nft is ended: `ended`. */
  readonly longest?: number
}

/** What to list: a whole table, or one of its chains, sets or maps. */
export interface ListQuery {
  /** Only for a whole table. Default: inet. */
  readonly family?: NftFamily
  readonly table: string
  readonly chain?: string
  readonly set?: string
  readonly map?: string
  /**
   * Only for a whole table: leaves out the elements of its sets and maps, so that the cost does not
   * grow with the number of sources. An `Nft` that cannot do that lists the elements as well.
   */
  readonly terse?: boolean
}

/**
 * What knocklib asks of nftables. `createNft` makes the real one, `FakeNft` keeps a ruleset in
 * memory. The same contract tests run on both.
 */
export interface Nft {
  /**
   * The network namespace in which it works: a name as `ip netns` knows it, or a path; empty for
   * this process's own. Absent if it does not work on a kernel: then there is nothing to watch.
   */
  readonly netns?: string
  /**
   * The other machine on which it works, as `NftOptions.ssh` names it; absent: this machine. What
   * else knocklib reads of a kernel, it then leaves: that would be the wrong one.
   */
  readonly host?: string
  /**
   * Executes all commands of a document, or none of them.
   * @throws NftError
   */
  apply(document: NftDocument, options?: CallOptions): Promise<void>
  /**
   * Rejects if `apply` would. Changes nothing.
   * @throws NftError
   */
  check(document: NftDocument, options?: CallOptions): Promise<void>
  /**
   * Lists as nft's JSON does; `parseListing` reads it.
   * @throws ArgumentError if a name has characters other than letters, digits and _.
   * @throws ListingError if nft's answer is not JSON.
   * @throws NftError `not-found` if there is no such table, chain or set.
   */
  list(query: ListQuery, options?: CallOptions): Promise<unknown>
  /**
   * Lists the chains of all tables, without their rules, as nft's JSON does. Absent if other tables
   * cannot be listed.
   * @throws ListingError if nft's answer is not JSON.
   * @throws NftError
   */
  listChains?(options?: CallOptions): Promise<unknown>
  /**
   * Returns the version as nft prints it, such as `1.0.6`.
   * @throws NftError
   */
  version(options?: CallOptions): Promise<string>
  /** Ends a connection that calls share; the next call connects again. Absent if there is none. */
  close?(): void
}

export interface NftOptions {
  /**
   * The nft binary. Default: the environment's KNOCKLIB_NFT, then `nft` on PATH, in /usr/sbin or in
   * /sbin. With `ssh`: a path there; default: `nft` there.
   */
  readonly binary?: string
  /**
   * A network namespace to work in: a name as `ip netns` knows it, or a path. Default: this
   * process's own.
   */
  readonly netns?: string
  /**
   * Another machine to work on, by ssh, such as `root@server` or `ssh://root@server:2222`. It needs
   * nft and a shell, and no Node. Default: this machine.
   */
  readonly ssh?: string
  /** With `ssh`: the program, OpenSSH's. Default: the environment's KNOCKLIB_SSH, then `ssh`. */
  readonly sshProgram?: string
  /** Milliseconds that one call may take. Default: 60,000. */
  readonly timeout?: number
}

/** What the kernel means by ENFILE, whose own text speaks of files. */
export const FULL = 'a set is full; guard.capacity in the spec is its size'
