// A call's options → the `Nft` that it uses, and a `Call`: the operation's name for errors, the
// signal.
import type { ElementOptions } from '../kernel/netlink/chosen.js'
import type { Nft } from '../kernel/nft.js'
import { createNft } from '../kernel/ssh/create-nft.js'
import type { Call } from '../table/installation.js'

export interface KernelOptions extends ElementOptions {
  /**
   * The path of the nft binary, or an `Nft` of your own. Default: KNOCKLIB_NFT, then `nft` on PATH.
   */
  readonly nft?: string | Nft
  /** Aborts the call, and every later call of the handle that it returns. */
  readonly signal?: AbortSignal
}

export function resolveCall(options: KernelOptions, operation: string): { nft: Nft; call: Call } {
  const { nft, signal } = options
  return {
    nft: typeof nft === 'object' ? nft : createNft(nft === undefined ? {} : { binary: nft }),
    call: { operation, ...(signal && { signal }) },
  }
}
