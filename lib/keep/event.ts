// The events of a keeper, beside those of its table.
import type { Warning } from '../errors.js'
import type { KnockEvent } from '../view/event.js'
import type { UnconfirmedEvent } from './kept-confirm.js'

/** The table was put back: what it took, and with how many grants. */
export interface RestoredEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'restored'
  /** Whether all of it was gone, or some of it altered. */
  readonly was: 'gone' | 'altered'
  /** Milliseconds from the news of it until it stood again. */
  readonly took: number
  /**
   * Milliseconds that the doors may have been open: `took`, or from the last look that found the
   * table whole if nobody reported it. What the kernel needed to report it is not in it.
   */
  readonly open: number
  readonly grants: number
}

/**
 * Something did not succeed. It is tried again by itself, but for `confirm`: a table that fell open
 * stays open.
 */
export interface FailedEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'failed'
  /**
   * `events`: what packets do is not reported until the NFLOG group can be read again; that is
   * `watching` again. `secrets`: the table stands with those that were read before, and nothing is
   * loaded ahead anew. `tokens`: those of the last minutes are refused, since some may have been
   * used just before the table was gone. `watchers`: no other process can watch the table
   * meanwhile, since its socket cannot be made.
   */
  readonly what:
    | 'install'
    | 'secrets'
    | 'list'
    | 'save'
    | 'events'
    | 'tokens'
    | 'confirm'
    | 'contested'
    | 'watchers'
    | 'stop'
  readonly message: string
}

/**
 * From now on nothing is missed: all that happens to the table is reported. Does not come while its
 * NFLOG group cannot be read.
 */
export interface WatchingEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'watching'
}

/**
 * A warning, as `installKnock` gives it: at the start, at a reload, when it is new, and when it is
 * over.
 */
export interface WarningEvent extends Warning {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'warning'
  /** What was found is so no more. */
  readonly over?: true
}

export type KeepEvent =
  | KnockEvent
  | RestoredEvent
  | FailedEvent
  | WatchingEvent
  | UnconfirmedEvent
  | WarningEvent
