// What a table says of itself, asked of the kernel: undefined where it is not there, or says
// nothing.
import { isNotFound } from '../errors.js'
import type { CallOptions, Nft } from '../kernel/nft.js'
import { ABOUT_SET, aboutComments } from '../nft/about.js'
import { parseListing } from '../nft/listing.js'
import { SERIAL_SET, serialOf } from '../nft/serial.js'

/** Who calls, and until when. */
export type Call = CallOptions & { readonly operation: string }

/** The comments of the set `about`, in their order. */
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

/** The mark of the install that made it. */
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

/** The table of family netdev at the side of one at ingress. */
export const listTags = (nft: Nft, table: string, call: CallOptions): Promise<unknown> =>
  ifFound(() => nft.list({ family: 'netdev', table }, call))

/** Undefined where nft says that it is not there. */
export async function ifFound<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
