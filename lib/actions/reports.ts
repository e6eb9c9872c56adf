// Failures of one action, and events that it left out → at most one event of each kind in a second.
import { type Clock, isoDate } from '../clock/clock.js'
import type { ActionFailedEvent, ActionOverrunEvent } from '../view/event.js'
import type { ActedEvent } from './told.js'

type Unnumbered<T> = Omit<T, 'action'>
/** What is reported of an action, which knows its number. */
export type ActionReport = Unnumbered<ActionFailedEvent> | Unnumbered<ActionOverrunEvent>

/** Milliseconds between two reports of a kind: an action may fail at each of many events. */
const EVERY = 1000

export class ActionReports {
  readonly #clock: Pick<Clock, 'after' | 'date'>
  readonly #emit: (report: ActionReport) => void
  /** The last failure that is not reported yet, and how many there were before it. */
  #failure: Unnumbered<ActionFailedEvent> | undefined
  #more = 0
  #lost = 0
  /** Cancel what comes next; undefined if nothing does. */
  #nextFailure: (() => void) | undefined
  #nextLost: (() => void) | undefined

  constructor(clock: Pick<Clock, 'after' | 'date'>, emit: (report: ActionReport) => void) {
    this.#clock = clock
    this.#emit = emit
  }

  /** Reports a failure now, or the last one of a second at its end. */
  failed(event: ActedEvent, reason: string): void {
    if (this.#failure) this.#more += 1
    this.#failure = {
      ...{ time: isoDate(this.#clock), event: 'action-failed', on: event.event },
      ...('door' in event && { door: event.door }),
      ...('source' in event && { source: event.source }),
      reason,
    }
    if (!this.#nextFailure) this.#tellFailure()
  }

  /** Counts an event that was left out. The number is reported a second after the first. */
  leftOut(count: number): void {
    if (count === 0) return
    this.#lost += count
    this.#nextLost ??= this.#clock.after(EVERY, () => this.#tellLost())
  }

  /** Reports at once what is not reported yet. */
  flush(): void {
    this.#nextFailure?.()
    this.#nextLost?.()
    this.#tellLost()
    this.#tellFailure()
  }

  #tellFailure(): void {
    this.#nextFailure = undefined
    if (!this.#failure) return
    const more = this.#more > 0 && { more: this.#more }
    this.#emit({ ...this.#failure, ...more })
    this.#failure = undefined
    this.#more = 0
    this.#nextFailure = this.#clock.after(EVERY, () => this.#tellFailure())
  }

  #tellLost(): void {
    this.#nextLost = undefined
    const lost = this.#lost
    this.#lost = 0
    if (lost > 0) this.#emit({ time: isoDate(this.#clock), event: 'action-overrun', lost })
  }
}
