// The events that a keeper itself reports: types, and which of its events a watch has, too. Pure.
import type { Warning } from '../text/warning.js'
import type { KnockEvent } from '../view/event.js'
import type { UnconfirmedEvent } from './kept-confirm.js'

/** The table was put back. */
export interface RestoredEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'restored'
  /** Whether the whole table was gone, or a part of it was changed. */
  readonly was: 'gone' | 'altered'
  /** Milliseconds from the report of the change until the table was back. */
  readonly took: number
  /**
   * Milliseconds for which the doors may have been open: `took`, or the time since the table was
   * last seen whole if nobody reported the change. The kernel's delay in reporting is not included.
   */
  readonly open: number
  readonly grants: number
}

/**
 * Something failed. It is tried again automatically, except `confirm`: a table that fell open stays
 * open.
 */
export interface FailedEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'failed'
  /**
   * `events`: packets are not reported until the NFLOG group can be read again; then `watching`
   * follows. `secrets`: the table uses the secrets that were read before, and nothing is loaded
   * ahead. `tokens`: the tokens of the last minutes are refused, because some may have been used
   * just before the table was gone. `watchers`: the relay's socket cannot be made, so no other
   * process can watch the table.
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
 * From now on everything that happens to the table is reported. This event does not come while the
 * NFLOG group cannot be read.
 */
export interface WatchingEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'watching'
}

/**
 * A warning as from `installKnock`. All are reported at the start and at a reload; later those that
 * are new, and those that no longer apply.
 */
export interface WarningEvent extends Warning {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'warning'
  /** Set if the warning no longer applies. */
  readonly over?: true
}

export type KeepEvent =
  | KnockEvent
  | RestoredEvent
  | FailedEvent
  | WatchingEvent
  | UnconfirmedEvent
  | WarningEvent

/** Whether `Knock.watch` yields this event, too. */
export function isOfTable(event: KeepEvent): event is KnockEvent {
  return !OF_KEEPER.has(event.event)
}

const OF_KEEPER: ReadonlySet<KeepEvent['event']> = new Set([
  ...(['restored', 'failed', 'watching', 'unconfirmed', 'warning'] as const),
])
