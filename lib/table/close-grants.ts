// Sources that may have a grant → their grants deleted, and which of them had one.
import { isNotFound } from '../errors.js'
import type { Elements } from '../kernel/elements.js'
import type { CallOptions } from '../kernel/nft.js'
import { sourceSet } from '../nft/names.js'
import { grantKey } from '../nft/own-sets.js'
import { type GrantChange, renderClose } from '../nft/transaction.js'
import type { Source } from './door-arguments.js'

type Closing = Omit<GrantChange, 'used' | 'sources'> & { readonly sources: readonly Source[] }

/**
 * Tries with all sources in one transaction; grants may expire between listing and deleting. After
 * these, each source gets a transaction of its own.
 */
const MOST_TRIES = 3

/**
 * Deletes the grants of those sources that have one, in one transaction if possible.
 *
 * @returns the sources that had a grant.
 * @throws NftError `not-found` if a set is missing, or the table has other doors by now.
 */
export async function closeGrants(
  elements: Elements,
  change: Closing,
  call: CallOptions,
): Promise<readonly Source[]> {
  let sources = change.sources
  for (let tries = 0; tries < MOST_TRIES && sources.length > 0; tries += 1) {
    if (await areDeleted(elements, { ...change, sources }, call)) return sources
    // The kernel does not say which element was missing, or whether a whole set was.
    if (change.while !== undefined) {
      await elements.require({ table: change.table, set: change.while }, call)
    }
    sources = await findThere(elements, { ...change, sources }, call)
  }
  const closed: Source[] = []
  for (const source of sources) {
    if (await areDeleted(elements, { ...change, sources: [source] }, call)) closed.push(source)
  }
  return closed
}

async function areDeleted(
  elements: Elements,
  change: Closing,
  call: CallOptions,
): Promise<boolean> {
  try {
    await elements.change(renderClose(change), call)
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

async function findThere(
  elements: Elements,
  change: Closing,
  call: CallOptions,
): Promise<Source[]> {
  const { table, sources, grants } = change
  const bySet = new Map<string, Source[]>()
  for (const source of sources) {
    const set = sourceSet(grants, source, change.prefix)
    const own = bySet.get(set)
    if (own) own.push(source)
    else bySet.set(set, [source])
  }
  const there = [...bySet].map(async ([set, own]) => {
    const keys = own.map((source) => grantKey(change, source?.address))
    const found = await elements.find({ table, set }, keys, call)
    // The rest of each key is the same.
    const known = new Set(found.map(({ key: [first] }) => first))
    return own.filter((source) => known.has(source?.address ?? '0'))
  })
  return (await Promise.all(there)).flat()
}
