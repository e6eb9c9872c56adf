// How a table is made to stand. Types alone.
import type { WantedConfirm } from '../change/change.js'
import type { ArgumentError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'

export interface EnsureOptions {
  /**
   * A valid one: what was let in, banned and used before. Where the table stands, only what was
   * used is taken of it.
   */
  readonly state?: KnockState | undefined
  /**
   * Seconds in which it must be confirmed; `ended`: it needs no confirmation. Default: as it
   * stands.
   */
  readonly pending: WantedConfirm
  /**
   * Called if secrets cannot be read any more: a table that is gone is then made with those that
   * were read last.
   */
  readonly unread?: (error: ArgumentError) => void
  /**
   * Whether a table that stands as it should is loaded ahead anew, or only what it lacks. Default:
   * it is.
   */
  readonly isDue?: boolean
  /** Asked when the table has been listed: true ends the call, which has done nothing then. */
  readonly isStale?: () => boolean
  /**
   * Whether a table that is made anew waits for the next call to be loaded ahead: what has been
   * used may not be known.
   */
  readonly loadsLater?: boolean
  /**
   * Given when packets may have used tokens that `state` does not know: where all tokens of a door
   * are to be loaded, those of the time are marked as used. Called with their number.
   */
  readonly doubted?: ((count: number) => void) | undefined
}
