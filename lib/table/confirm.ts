// A table that awaits to be confirmed → one that stays. Touches the kernel.
import { isNotFound, NftError } from '../errors.js'
import type { Nft } from '../kernel/nft.js'
import { listParts } from '../kernel/table-listing.js'
import { CONFIRM_SET, confirmOf, renderConfirmation } from '../nft/confirm.js'
import { parseListing } from '../nft/listing.js'
import { SERIALS } from '../nft/serial.js'
import type { Call } from './installation.js'

/** How often it is tried where others change the table at the same moment. */
const TRIES = 12

/** How often nft refuses until the refusal is thrown. */
const REFUSALS = 3

const isRefused = (error: unknown): boolean =>
  error instanceof NftError && error.code === 'rejected'

/**
 * Takes the rules that wait for it and their set away, in one transaction. Throws as
 * `Knock.confirm` says.
 */
export async function confirmTable(nft: Nft, table: string, call: Call): Promise<void> {
  const error = (code: NftError['code'], reason: string) =>
    new NftError(code, `${call.operation}: table inet ${table}: ${reason}`)
  let refusals = 0
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const listing = await listParts(nft, table, ({ name }) => name === CONFIRM_SET, call)
    const pending = confirmOf(parseListing(listing))
    if (pending === undefined) throw error('not-found', 'nothing awaits to be confirmed')
    if (pending === 'over') {
      const reason =
        'the time to confirm has run out and the doors have fallen open; install the spec again'
      throw error('timed-out', reason)
    }
    try {
      const serial = Math.floor(Math.random() * SERIALS)
      await nft.apply(renderConfirmation(table, listing, serial), call)
      return
    } catch (error) {
      // The time has run out, or somebody else has installed or confirmed: the next listing says
      // which.
      if (isNotFound(error)) continue
      // While the kernel prepares somebody's change that fails in the end, it leaves rules out of
      // listings, and nft refuses to delete a set that such a rule names.
      refusals += 1
      if (!isRefused(error) || refusals === REFUSALS) throw error
    }
  }
  throw error('conflict', `others changed it first, ${TRIES} times`)
}
