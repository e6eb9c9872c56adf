// The options of a call → the nft that it asks, the name for its errors, and its signal.
import type { ElementOptions } from '../kernel/netlink/chosen.js'
import type { Nft } from '../kernel/nft.js'
import { createNft } from '../kernel/process/process-nft.js'
import type { Call } from '../table/installation.js'

export interface KernelOptions extends ElementOptions {
  /** The nft binary's path, or an `Nft` of your own. Default: KNOCKLIB_NFT, then `nft` on PATH. */
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
