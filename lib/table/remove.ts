// A table that an install made → removed, with the table against tags at its side. Touches the
// kernel.
import { isNotFound } from '../errors.js'
import type { Nft } from '../kernel/nft.js'
import { digestIn, isAtIngress } from '../nft/about.js'
import { isForeign } from '../nft/tags.js'
import { renderUninstall } from '../nft/transaction.js'
import { type Call, listAbout, listSerial, listTags } from './installation.js'

/** How often it is tried while others change the table at the same moment. */
const TRIES = 12

/**
 * Removes the table if its ruleset is still the one with this digest. A table that somebody has
 * installed in its place stays: the end of a block must not open the doors of another process.
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
      const hasTags = await ownsTags(nft, table, comments, call)
      await nft.apply(renderUninstall(table, serial, hasTags), call)
      return
    } catch (error) {
      // Somebody else has installed or removed it since: the next look says which.
      if (!isNotFound(error)) throw error
    }
  }
}

/** Removes the table, whoever has installed it. One that is gone already is no error. */
export async function removeAny(nft: Nft, table: string, call: Call): Promise<void> {
  const hasTags = await ownsTags(nft, table, await listAbout(nft, table, call), call)
  try {
    await nft.apply(renderUninstall(table, undefined, hasTags), call)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Whether the table against tags goes with it; one that others have made under that name stays. */
async function ownsTags(
  nft: Nft,
  table: string,
  comments: readonly string[] | undefined,
  call: Call,
): Promise<boolean> {
  if (!isAtIngress(comments)) return false
  return !isForeign(await listTags(nft, table, call))
}
