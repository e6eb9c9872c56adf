// Records of the readers → the table's records, and the ends of its grants. No I/O of its own.
import type { Clock } from '../clock/clock.js'
import type { ChangedRecord, LogRecord, ReaderRecord } from '../kernel/readers/records.js'
import { holderOf } from '../view/event.js'
import type { TableRecord } from '../view/known-state.js'
import type { Clocks } from './clocks.js'
import type { KnownTable, TableNews } from './known-table.js'
import { calledGrants, recordOfCall, recordOfLog, tableEvent } from './records.js'

interface IntakeOptions {
  readonly clock: Pick<Clock, 'now' | 'date'>
  readonly known: KnownTable
  readonly clocks: Pick<Clocks, 'set' | 'remove'>
  /** The most records that wait. */
  readonly most: number
  push(record: TableRecord): void
  lose(count: number | undefined): void
  /** The table was installed or removed, at this time in milliseconds since 1970. */
  change(event: TableNews, at: number): void
}

/** Turns readers' records into the table's. Starts in the state of `wait`. */
export class Intake {
  readonly #options: IntakeOptions
  #waiting: (LogRecord | ChangedRecord)[] | undefined = []
  #idle: (() => void)[] = []

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  take(record: ReaderRecord): void {
    const { table } = this.#options.known.watched
    if ('changed' in record && record.changed.table === table) this.#takeChange(record)
    else if ('logged' in record && !this.#waits(record)) this.#takeLog(record)
  }

  /** Keeps records until the table has been read: only then is their meaning known. */
  wait(): void {
    this.#waiting ??= []
  }

  goOn(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const record of waiting) this.take(record)
    for (const wake of this.#idle.splice(0)) wake()
  }

  /** Resolves when no record waits. */
  async idle(): Promise<void> {
    if (!this.#waiting) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #waits(record: LogRecord | ChangedRecord): boolean {
    if (!this.#waiting) return false
    if (this.#waiting.length < this.#options.most) this.#waiting.push(record)
    else this.#options.lose(1)
    return true
  }

  #takeLog(record: LogRecord): void {
    const { known, clocks, push } = this.#options
    const found = recordOfLog(record, known.watched)
    if (!found) return
    const { event } = found
    if (event.event === 'granted') {
      const { door, expiresIn } = event
      const source = holderOf(event)
      clocks.set({ door, source, due: this.#dueOf(record.at, expiresIn * 1000) })
    } else if (event.event === 'closed') {
      clocks.remove({ door: event.door, source: holderOf(event) })
    }
    push(found)
  }

  #takeChange(record: ChangedRecord): void {
    const event = tableEvent(record.changed)
    if (event) {
      if (!record.changed.isLater) this.#options.change(event, record.at)
    } else if (!this.#waits(record)) {
      this.#takeCalls(record)
    }
  }

  #takeCalls({ changed, at }: ChangedRecord): void {
    const { clocks, push, lose } = this.#options
    for (const grant of calledGrants(changed, this.#options.known.watched)) {
      const { door, source, expiresIn } = grant
      if (expiresIn === null) clocks.remove(grant)
      else if (expiresIn !== undefined)
        clocks.set({ door, source, due: this.#dueOf(at, expiresIn) })
      push(recordOfCall(grant, at))
    }
    if (changed.more) lose(undefined)
  }

  /** By the monotonic clock; the date is used only for a record's short age. */
  #dueOf(at: number, lasts: number): number {
    const { clock } = this.#options
    return clock.now() - Math.max(clock.date() - at, 0) + lasts
  }
}
