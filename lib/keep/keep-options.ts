// The options of `Knock.keepInstalled`. Types only.
import type { Actions } from '../actions/actions.js'
import type { KeepEvent } from './event.js'

/**
 * A table that is flushed or altered is put back at once, with its known grants, bans and used
 * tokens. Tokens and rotating sequences are loaded ahead in time. A table that is waiting to be
 * confirmed keeps waiting.
 *
 * The keeper knows what the table holds from events, and from a listing each second (less often if
 * one takes longer than 100 ms). With `log: false`, or while another process watches the group, a
 * flush loses what packets did since the last listing.
 *
 * It does the spec's actions, if it is the first of the processes that keep the table. When it
 * ends, actions that wait or run have five seconds more. Programs that do not end then get SIGTERM,
 * and SIGKILL two seconds later.
 */
export interface KeepOptions {
  /** Aborts the keeper. */
  readonly signal: AbortSignal
  /**
   * A file for grants, bans and what has been used. It is written within a second of each change,
   * and at the end.
   */
  readonly stateFile?: string
  /**
   * How long before tokens and rotating sequences run out, and before a user's `until`, a `warning`
   * is reported: a duration such as `"3d"`, or seconds. Its default and bounds are those of
   * `StatusCheckOptions`.
   */
  readonly warnBefore?: string | number
  /** Called with each event of the doors and of the keeper. Must not throw. */
  readonly onEvent?: (event: KeepEvent) => void
  /** @internal What does the actions, and goes on with those of the next keeper. */
  readonly actions?: Actions
}
