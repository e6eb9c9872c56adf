// A table that an install made → removed, unless it is another's by now. Touches the kernel.
import { isNotFound } from '../errors.js'
import type { Nft } from '../kernel/nft.js'
import { digestIn } from '../nft/about.js'
import { renderUninstall } from '../nft/transaction.js'
import { type Call, listAbout, listSerial } from '../table.js'

/** How often it is tried while others change the table at the same moment. */
const TRIES = 12

/**
 * Removes the table if its ruleset is still the one with this digest. A table that somebody has installed in its place
 * stays: the end of a block must not open the doors of another process.
 */
export async function removeOwn(
  nft: Nft,
  table: string,
  digest: string,
  call: Call,
): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const serial = await listSerial(nft, table, call)
    const comments = await listAbout(nft, table, call)
    if (digestIn(comments) !== digest) return
    try {
      await nft.apply(renderUninstall(table, serial), call)
      return
    } catch (error) {
      // Somebody else has installed or removed it since: the next look says which.
      if (!isNotFound(error)) throw error
    }
  }
}
