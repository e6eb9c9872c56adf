// A table that was changed, and what nft answered → whether it is what was asked for, or another
// one. Touches the kernel.

import { isIntact } from '../change/intact.js'
import { neededBy } from '../change/needed.js'
import { CapabilityError, type KnockError, NftError } from '../errors.js'
import type { Nft } from '../kernel/nft.js'
import { listParts } from '../kernel/table-listing.js'
import { digestOf, parseAbout } from '../nft/about.js'
import type { NftDocument, NftFamily } from '../nft/document.js'
import { parseListing } from '../nft/listing.js'
import { serialOf } from '../nft/serial.js'
import { type Call, ifFound, listAbout, listSerial } from './installation.js'

/**
 * How often a changed table is listed until it shows as what was asked for, before it is changed
 * once more.
 */
const LOOKS = 3

/** What was listed of a table before it was changed. */
export interface Seen {
  readonly serial: number | undefined
  readonly comments: readonly string[] | undefined
}

export class Verification {
  readonly #place: VerifiedPlace

  constructor(place: VerifiedPlace) {
    this.#place = place
  }

  /** Whether a transaction failed since the table is another than the one that was listed. */
  async isOther(error: unknown, had: Seen | undefined, call: Call): Promise<boolean> {
    if (!mayBeConflict(error)) return false
    // It may be gone again by now.
    if (!had && error.code === 'already-exists') return true
    const { nft, table } = this.#place
    const comments = await listAbout(nft, table, call)
    if (!comments || !had) return (comments === undefined) !== (had === undefined)
    const serial = await listSerial(nft, table, call)
    return serial !== had.serial || comments[0] !== had.comments?.[0]
  }

  /**
   * Whether a change made of the table what was asked for. One that was computed from a wrong
   * listing leaves behind what was not in that. A listing leaves out or doubles, but has nothing
   * that is not there: one that is intact is a proof, one that is not is none.
   */
  async isWhole(serial: number, call: Call): Promise<boolean> {
    const { nft, table, document } = this.#place
    for (let look = 1; look <= LOOKS; look += 1) {
      const isCompared = neededBy(document, false)
      const listing = await ifFound(() => listParts(nft, table, isCompared, call))
      // Another install has followed this one, or it has been removed.
      if (listing === undefined || serialOf(parseListing(listing)) !== serial) return true
      if (isIntact(listing, document)) return true
    }
    return false
  }

  /**
   * nft's exit code alone is no proof: some versions drop what they don't know and report success.
   */
  async requireApplied(serial: number, call: Call): Promise<void> {
    const { nft, table, document } = this.#place
    const comments = await listAbout(nft, table, call)
    if (comments && parseAbout(comments)?.digest === digestOf(document)) return
    const standing = await listSerial(nft, table, call)
    // Another install has followed this one.
    if (standing !== undefined && standing !== serial) return
    const reason =
      comments === undefined
        ? 'nft reported success, but the table is not there: it has been removed since, ' +
          'or was never made'
        : NOT_AS_ASKED
    throw tableError('unverified', table, call, reason)
  }
}

interface VerifiedPlace {
  readonly nft: Nft
  readonly table: string
  /** What the table is to be. */
  readonly document: NftDocument
}

/** An error that names the table. */
export const tableError = (
  code: NftError['code'],
  table: string,
  { operation }: Call,
  reason: string,
  family: NftFamily = 'inet',
): NftError => new NftError(code, `${operation}: table ${family} ${table}: ${reason}`)

export const NOT_AS_ASKED = 'nft reported success, but the table is not what was asked for'

/**
 * What nft answers where something was listed that is there no more, or is there meanwhile, or is
 * named meanwhile.
 */
const CONFLICTS: ReadonlySet<string> = new Set(['not-found', 'already-exists', 'rejected'])

/** The kernel says the same of a module that it lacks as of a set that is gone. */
export const mayBeConflict = (error: unknown): error is KnockError =>
  error instanceof CapabilityError || (error instanceof NftError && CONFLICTS.has(error.code))
