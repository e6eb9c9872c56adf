// What `Knock.keepInstalled` is asked for. Types alone.
import type { KeepEvent } from './event.js'

/**
 * A table that is flushed or altered is put back at once with the grants, bans and used tokens that
 * were known. Tokens and rotating sequences are loaded ahead in time. Waits to be confirmed go on.
 *
 * What the table holds is known from its events and from a listing each second, less often if that
 * takes longer than 100 ms: with `log: false`, or while another process watches its group, what
 * packets did since the last listing is lost with a table that is flushed.
 */
export interface KeepOptions {
  /** Ends it. */
  readonly signal: AbortSignal
  /**
   * A file to which grants, bans and what has been used are written, within a second of each change
   * and at the end.
   */
  readonly stateFile?: string
  /**
   * Called with all that happens at the doors, and each time the table was put back or something
   * failed. Must not throw.
   */
  readonly onEvent?: (event: KeepEvent) => void
}
