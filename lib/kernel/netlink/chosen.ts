// An `Nft` and options → the access to elements: netlink if it works, otherwise nft. Touches the
// kernel.
import { isNotPermitted, NetlinkError } from '../../errors.js'
import type { ElementDocument, ElementKey } from '../../nft/document.js'
import type { ListedElement } from '../../nft/listing.js'
import { DocumentElements, type Elements, type SetQuery } from '../elements.js'
import type { CallOptions, Nft } from '../nft.js'
import { environmentNft } from '../process/binary.js'
import { NetlinkElements } from './netlink.js'

export interface ElementOptions {
  readonly nft?: string | Nft
  /**
   * How grants and bans are changed and listed. `auto`: through netlink, or by nft where there is
   * no netlink socket to be had or no permission, and where `nft` or KNOCKLIB_NFT is given: that
   * may work in another network namespace, which netlink does not reach. Default: `auto`. The
   * results are the same.
   */
  readonly elements?: 'auto' | 'nft' | 'netlink'
}

/**
 * One socket serves all handles of the process. It is never closed, and does not keep the process
 * alive.
 */
let shared: NetlinkElements | undefined

/** Chooses for the options of a call, and the nft that was made of them. */
export function chooseElements(nft: Nft, { nft: given, elements }: ElementOptions): Elements {
  const isOwn = given === undefined && environmentNft() === undefined
  if (elements === 'nft' || (elements !== 'netlink' && !isOwn)) return new DocumentElements(nft)
  shared ??= new NetlinkElements()
  return elements === 'netlink' ? shared : new AutoElements(shared, new DocumentElements(nft))
}

/**
 * Tries netlink first. Where there is no socket to be had, or no permission, nft is asked from then
 * on.
 */
export class AutoElements implements Elements {
  readonly #netlink: NetlinkElements
  readonly #nft: Elements
  #isGivenUp = false

  constructor(netlink: NetlinkElements, nft: Elements) {
    this.#netlink = netlink
    this.#nft = nft
  }

  change(document: ElementDocument, options?: CallOptions): Promise<void> {
    return this.#run(options, (elements) => elements.change(document, options))
  }

  find(
    query: SetQuery,
    keys: readonly ElementKey[],
    options?: CallOptions,
  ): Promise<readonly ListedElement[]> {
    return this.#run(options, (elements) => elements.find(query, keys, options))
  }

  async *list(query: SetQuery, options?: CallOptions): AsyncIterable<readonly ListedElement[]> {
    // Says as well whether the list may be asked for.
    await this.require(query, options)
    yield* (this.#isGivenUp ? this.#nft : this.#netlink).list(query, options)
  }

  require(query: SetQuery, options?: CallOptions): Promise<void> {
    return this.#run(options, (elements) => elements.require(query, options))
  }

  async streams(options?: CallOptions): Promise<boolean> {
    return !this.#isGivenUp && (await this.#isConnected(options))
  }

  async #run<T>(
    options: CallOptions | undefined,
    work: (elements: Elements) => Promise<T>,
  ): Promise<T> {
    if (this.#isGivenUp || !(await this.#isConnected(options))) return work(this.#nft)
    try {
      return await work(this.#netlink)
    } catch (error) {
      if (isNotPermitted(error)) this.#isGivenUp = true
      else if (!(error instanceof NetlinkError && error.code === 'EMSGSIZE')) throw error
      // Neither has changed anything. The socket's buffers are too small for some: nft has no such
      // limit.
      return work(this.#nft)
    }
  }

  async #isConnected({ operation = 'netlink' }: CallOptions = {}): Promise<boolean> {
    try {
      await this.#netlink.connect(operation)
      return true
    } catch {
      this.#isGivenUp = true
      return false
    }
  }
}
