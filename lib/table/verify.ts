// A changed table and nft's answer → whether the table became what was asked for, or others changed
// it.

import { isIntact } from '../change/intact.js'
import { elementCount, neededBy } from '../change/needed.js'
import { CapabilityError, type KnockError, NftError } from '../errors.js'
import { type ListedPlace, listParts } from '../kernel/table-listing.js'
import { digestOf, parseAbout } from '../nft/about.js'
import type { NftDocument, NftFamily } from '../nft/document.js'
import { parseListing } from '../nft/listing.js'
import { serialOf } from '../nft/serial.js'
import { type Call, ifFound, listAbout, listSerial } from './installation.js'

/** Listings of a changed table until it shows as wanted. After these, it is changed once more. */
const LOOKS = 3

/** What was listed of a table before the change. */
export interface Seen {
  readonly serial: number | undefined
  readonly comments: readonly string[] | undefined
}

export class Verification {
  readonly #place: VerifiedPlace

  constructor(place: VerifiedPlace) {
    this.#place = place
  }

  /** Whether a transaction failed because the table is no longer the one that was listed. */
  async isOther(error: unknown, had: Seen | undefined, call: Call): Promise<boolean> {
    if (!mayBeConflict(error)) return false
    // The other table may already be gone again.
    if (!had && error.code === 'already-exists') return true
    const { nft, table } = this.#place
    const comments = await listAbout(nft, table, call)
    if (!comments || !had) return (comments === undefined) !== (had === undefined)
    const serial = await listSerial(nft, table, call)
    return serial !== had.serial || comments[0] !== had.comments?.[0]
  }

  /**
   * Whether the table is what was asked for. A change that was computed from a wrong listing leaves
   * something behind. A listing can leave out or double objects, but it never invents any.
   * Therefore one intact listing proves the table intact; a defective one proves nothing.
   */
  async isWhole(serial: number, call: Call): Promise<boolean> {
    const { document } = this.#place
    for (let look = 1; look <= LOOKS; look += 1) {
      const isCompared = neededBy(document, false)
      const expected = elementCount(document)
      const listing = await ifFound(() => listParts(this.#place, isCompared, call, expected))
      // Another install followed, or the table was removed.
      if (listing === undefined || serialOf(parseListing(listing)) !== serial) return true
      if (isIntact(listing, document)) return true
    }
    return false
  }

  /**
   * Requires that the table shows this install.
   *
   * @throws NftError `unverified` if it does not: some versions of nft drop what they do not know
   * and still report success.
   */
  async requireApplied(serial: number, call: Call): Promise<void> {
    const { nft, table, document } = this.#place
    const comments = await listAbout(nft, table, call)
    if (comments && parseAbout(comments)?.digest === digestOf(document)) return
    const standing = await listSerial(nft, table, call)
    // Another install followed.
    if (standing !== undefined && standing !== serial) return
    const reason =
      comments === undefined
        ? 'nft reported success, but the table is not there: it was removed since, ' +
          'or never made'
        : NOT_AS_ASKED
    throw tableError('unverified', table, call, reason)
  }
}

interface VerifiedPlace extends ListedPlace {
  /** The table as wanted. */
  readonly document: NftDocument
}

/** Makes an error that names the table. */
export const tableError = (
  code: NftError['code'],
  table: string,
  { operation }: Call,
  reason: string,
  family: NftFamily = 'inet',
): NftError => new NftError(code, `${operation}: table ${family} ${table}: ${reason}`)

export const NOT_AS_ASKED = 'nft reported success, but the table is not what was asked for'

/** nft's answers if an object that was listed is gone, exists by now, or is in use by now. */
const CONFLICTS: ReadonlySet<string> = new Set(['not-found', 'already-exists', 'rejected'])

/** The kernel gives the same answer for a missing module as for a missing set. */
export const mayBeConflict = (error: unknown): error is KnockError =>
  error instanceof CapabilityError || (error instanceof NftError && CONFLICTS.has(error.code))
