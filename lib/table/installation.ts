// A table's name → what the table says of itself; undefined if the table or that part is missing.
import { isNotFound } from '../errors.js'
import type { CallOptions, Nft } from '../kernel/nft.js'
import { ABOUT_SET, aboutComments } from '../nft/about.js'
import { parseListing } from '../nft/listing.js'
import { SERIAL_SET, serialOf } from '../nft/serial.js'

/** The caller's operation, for errors, and how long nft may take. */
export type Call = CallOptions & { readonly operation: string }

/** Lists the comments of the set `about`, in their order. */
export async function listAbout(
  nft: Nft,
  table: string,
  call: CallOptions,
): Promise<readonly string[] | undefined> {
  const listing = await ifFound(async () =>
    parseListing(await nft.list({ table, set: ABOUT_SET }, call)),
  )
  return listing && aboutComments(listing)
}

/** Reads the number that the last install gave the table. */
export async function listSerial(
  nft: Nft,
  table: string,
  call: CallOptions,
): Promise<number | undefined> {
  const listing = await ifFound(async () =>
    parseListing(await nft.list({ table, set: SERIAL_SET }, call)),
  )
  return listing && serialOf(listing)
}

/** Lists the table of family netdev that belongs to doors at ingress. */
export const listTags = (nft: Nft, table: string, call: CallOptions): Promise<unknown> =>
  ifFound(() => nft.list({ family: 'netdev', table }, call))

/** Returns undefined if nft says `not-found`. */
export async function ifFound<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
