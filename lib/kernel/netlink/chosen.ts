// An `Nft` and options → the access to elements: netlink if it works, otherwise nft. Touches the
// kernel.
import { ArgumentError, isNotPermitted, NetlinkError } from '../../errors.js'
import type { ElementDocument, ElementKey, NftValue } from '../../nft/document.js'
import type { ListedElement } from '../../nft/listing.js'
import { DocumentElements, type ElementForm, type Elements, type SetQuery } from '../elements.js'
import type { CallOptions, Nft } from '../nft.js'
import { environmentNft } from '../process/binary.js'
import { NetlinkElements } from './netlink.js'

export interface ElementOptions {
  readonly nft?: string | Nft
  /**
   * How grants and bans are changed and listed. The results are the same. `auto`: through netlink,
   * or by nft if no netlink socket can be opened, if it has no permission, or if `nft` or
   * KNOCKLIB_NFT is given: that nft may work in another network namespace, which netlink does not
   * reach. Default: `auto`.
   */
  readonly elements?: 'auto' | 'nft' | 'netlink'
}

/**
 * The one socket for all handles of the process. It is never closed, and does not keep the process
 * alive.
 */
let shared: NetlinkElements | undefined

/**
 * Chooses by the options of a call. `nft` is what was made of the same options.
 *
 * @throws ArgumentError if `elements` is `netlink` and nft is on another machine.
 */
export function chooseElements(nft: Nft, { nft: given, elements }: ElementOptions): Elements {
  if (nft.host !== undefined && elements === 'netlink') {
    const got = `"netlink" and nft on ${nft.host}`
    throw new ArgumentError(`knocklib: elements: expected "auto" or "nft" with ssh, got ${got}`)
  }
  const isOwn = given === undefined && environmentNft() === undefined
  if (elements === 'nft' || (elements !== 'netlink' && !isOwn)) return new DocumentElements(nft)
  shared ??= new NetlinkElements()
  return elements === 'netlink' ? shared : new AutoElements(shared, new DocumentElements(nft))
}

/**
 * Tries netlink first. After the first time that no socket can be opened or permission is missing,
 * it uses nft alone.
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
    // Also decides whether netlink may be used.
    await this.require(query, options)
    yield* (this.#isGivenUp ? this.#nft : this.#netlink).list(query, options)
  }

  async listed(
    query: SetQuery,
    form: ElementForm,
    options?: CallOptions,
  ): Promise<readonly NftValue[] | undefined> {
    if (!(await this.streams(options))) return undefined
    try {
      return await this.#netlink.listed(query, form, options)
    } catch (error) {
      if (!isNotPermitted(error)) throw error
      this.#isGivenUp = true
      return undefined
    }
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
      // Neither failure has changed anything. EMSGSIZE: the change is too large for the socket's
      // buffers, but nft has no such limit.
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
