// A table that is waiting to be confirmed → one that stays.
import { isNotFound, NftError } from '../errors.js'
import { type ListedPlace, listParts } from '../kernel/table-listing.js'
import { CONFIRM_SET, confirmOf, renderConfirmation } from '../nft/confirm.js'
import { parseListing } from '../nft/listing.js'
import { SERIALS } from '../nft/serial.js'
import type { Call } from './installation.js'

/** Tries if others change the table at the same time. */
const TRIES = 12

/** Refusals by nft before the refusal is thrown. */
const REFUSALS = 3

const isRefused = (error: unknown): boolean =>
  error instanceof NftError && error.code === 'rejected'

/**
 * Removes the rules and the set of the confirmation, in one transaction. Throws as `Knock.confirm`
 * says.
 */
export async function confirmTable(place: ListedPlace, call: Call): Promise<void> {
  const { nft, table } = place
  const error = (code: NftError['code'], reason: string) =>
    new NftError(code, `${call.operation}: table inet ${table}: ${reason}`)
  let refusals = 0
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const listing = await listParts(place, ({ name }) => name === CONFIRM_SET, call)
    const pending = confirmOf(parseListing(listing))
    if (pending === undefined) throw error('not-found', 'it is not waiting to be confirmed')
    if (pending === 'over') {
      const reason = 'it was not confirmed in time and has fallen open; install the spec again'
      throw error('timed-out', reason)
    }
    try {
      const serial = Math.floor(Math.random() * SERIALS)
      await nft.apply(renderConfirmation(table, listing, serial), call)
      return
    } catch (error) {
      // The time ran out, or somebody else installed or confirmed: the next listing shows which.
      if (isNotFound(error)) continue
      // While the kernel prepares a change of somebody else that fails in the end, it leaves rules
      // out of listings, and nft refuses to delete a set that such a rule names.
      refusals += 1
      if (!isRefused(error) || refusals === REFUSALS) throw error
    }
  }
  throw error('conflict', `others changed it first, in each of ${TRIES} tries`)
}
