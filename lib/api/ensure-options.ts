// The options of `Installation.ensure`. Types only.
import type { WantedConfirm } from '../change/change.js'
import type { ArgumentError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'

export interface EnsureOptions {
  /**
   * A valid saved state: grants, bans and what has been used. If the table exists already, only
   * what has been used is taken from it.
   */
  readonly state?: KnockState | undefined
  /**
   * Seconds in which the table must be confirmed; `ended`: it needs no confirmation. Default: as
   * the existing table has it.
   */
  readonly pending: WantedConfirm
  /**
   * Called if secrets can no longer be read. A table that is gone is then made with the secrets
   * that were read last.
   */
  readonly unread?: (error: ArgumentError) => void
  /**
   * If the table is already as wanted: true loads tokens and ports ahead for the whole horizon
   * again, false adds only what is missing. Default: true.
   */
  readonly isDue?: boolean
  /** Asked after the table has been listed. If it returns true, the call ends without a change. */
  readonly isStale?: () => boolean
  /**
   * Whether a new table is made without tokens and ports, which the next call loads. Used when it
   * is not known yet what has been used.
   */
  readonly loadsLater?: boolean
  /**
   * Given if packets may have used tokens that `state` does not know. If all tokens of a door have
   * to be loaded, those of that time are marked as used; this is called with their number.
   */
  readonly doubted?: ((count: number) => void) | undefined
}
