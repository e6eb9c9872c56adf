// A table that knocklib installed → removed, together with its netdev table of tags.
import { isNotFound } from '../errors.js'
import type { Nft } from '../kernel/nft.js'
import { digestIn, isAtIngress } from '../nft/about.js'
import { isForeign } from '../nft/tags.js'
import { renderUninstall } from '../nft/transaction.js'
import { type Call, listAbout, listSerial, listTags } from './installation.js'

/** Tries if others change the table at the same time. */
const TRIES = 12

/**
 * Removes the table if its ruleset still has this digest. A table that somebody else installed in
 * its place stays: the end of a block must not open the doors of another process.
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
      // Somebody else installed or removed it since: the next listing shows which.
      if (!isNotFound(error)) throw error
    }
  }
}

/** Removes the table, whoever installed it. Does nothing if it is gone already. */
export async function removeAny(nft: Nft, table: string, call: Call): Promise<void> {
  const hasTags = await ownsTags(nft, table, await listAbout(nft, table, call), call)
  try {
    await nft.apply(renderUninstall(table, undefined, hasTags), call)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Whether the table of tags is removed with it; one that others made under that name stays. */
async function ownsTags(
  nft: Nft,
  table: string,
  comments: readonly string[] | undefined,
  call: Call,
): Promise<boolean> {
  if (!isAtIngress(comments)) return false
  return !isForeign(await listTags(nft, table, call))
}
