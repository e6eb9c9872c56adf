// An installed table → kept: put back if it is flushed or altered, refilled, its state known and
// saved. Joins the room's parts.
import { setImmediate as immediate } from 'node:timers/promises'
import { type Clock, isoDate } from '../clock/clock.js'
import { isNotFound } from '../errors.js'
import type { KnownState, TableRecord } from '../view/known-state.js'
import type { FailedEvent, KeepEvent } from './event.js'
import type { KeptTable, TableRecords } from './kept-table.js'
import { Looks } from './looks.js'
import { Mender } from './mender.js'
import { StateWriter } from './state-writer.js'
import { aborted, isDoneWithin, STOP, UNDER_WAY, UNREAD, UNWRITTEN } from './stop.js'
import { WatchedClock } from './watched-clock.js'

/** Milliseconds between two checks of the clock. */
const CLOCK_EVERY = 1000

interface KeeperOptions {
  readonly clock: Clock
  /** Ends the keeper. */
  readonly signal: AbortSignal
  readonly emit: (event: KeepEvent) => void
  /** The date minus the monotonic clock at the last load, in milliseconds. */
  readonly offset: number
}

export class Keeper {
  readonly #table: KeptTable
  readonly #known: KnownState
  readonly #emit: (event: KeepEvent) => void
  readonly #ended = new AbortController()
  /** Aborted when only the last state is left to write. */
  readonly #signal: AbortSignal
  readonly #clock: Clock
  readonly #dates: WatchedClock
  readonly #looks: Looks
  readonly #mender: Mender
  #records: TableRecords | undefined
  readonly #writer: StateWriter | undefined
  #givenBack: Promise<unknown> | undefined

  constructor(table: KeptTable, known: KnownState, options: KeeperOptions) {
    const { clock, signal, emit, offset } = options
    this.#table = table
    this.#known = known
    this.#signal = AbortSignal.any([signal, this.#ended.signal])
    this.#emit = emit
    this.#clock = clock
    this.#dates = new WatchedClock(clock, offset, (step) => {
      known.shift(step)
      // What was loaded by a wrong clock is loaded again.
      if (table.refillEvery !== undefined) this.#mender.look({ isDue: true })
    })
    this.#looks = new Looks({
      table,
      known,
      clock,
      dates: this.#dates,
      changed: () => this.#writer?.changed(),
      look: (seen) => this.#mender.look(seen),
      isBusy: () => this.#mender.ensuring !== undefined,
      failed: (error) => this.#fail('list', error),
      signal: this.#signal,
    })
    this.#mender = new Mender({
      clock,
      table,
      looks: this.#looks,
      state: () => known.state(this.#dates.date()),
      settled: async (patience) => (await this.#records?.settled(patience)) ?? false,
      emit,
      failed: (what, error) => this.#fail(what, error),
      signal: this.#signal,
    })
    const { write } = table
    this.#writer =
      write &&
      new StateWriter({
        clock,
        write,
        // Before the first listing the saved file knows more, so it must not be replaced.
        state: () => (known.isComplete ? known.state(this.#dates.date()) : undefined),
        failed: (error) => this.#fail('save', error),
        signal: this.#signal,
      })
  }

  /**
   * Resolves when the signal is aborted and the last state is written. Rejects if the table cannot
   * be watched.
   */
  async run(): Promise<void> {
    const parts = [
      this.#follow().finally(() => this.#ended.abort()),
      this.#looks.run(),
      this.#refill(),
      this.#watchClock(),
    ] as const
    const ended = Promise.all(parts).then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    await Promise.race([ended, aborted(this.#signal)])
    this.#ended.abort()
    // nft or a disk may hang: the stop must not wait for them, and still writes what is known.
    const under = Promise.allSettled([...parts, this.#mender.late.settled, this.#mender.ensuring])
    if (!(await this.#isDone(under))) this.#fail('stop', UNDER_WAY)
    await this.#end()
    if (this.#givenBack) await this.#isDone(this.#givenBack)
    const failure = await Promise.race([ended, immediate(undefined)])
    if (failure) throw failure.error
  }

  /** A table that is removed while its watch starts is put back and watched again. */
  async #follow(): Promise<void> {
    for (;;) {
      try {
        await this.#watch()
        return
      } catch (error) {
        if (!isNotFound(error) || this.#signal.aborted) throw error
        this.#mender.look({ isGone: true })
        await this.#mender.ensuring
      }
    }
  }

  async #watch(): Promise<void> {
    const records = this.#table.records({ signal: this.#signal })
    this.#records = records
    records.ready.then(
      () => {
        if (!records.isDeaf) this.#emit({ time: isoDate(this.#clock), event: 'watching' })
      },
      // The iteration rejects with the same error.
      () => {},
    )
    try {
      for await (const record of records) this.#take(record)
    } finally {
      // The last state is written without waiting for this.
      this.#givenBack = records.return?.(undefined).catch(() => {})
    }
  }

  #take(record: TableRecord): void {
    const { event } = record
    this.#known.hear(record, this.#dates.date())
    this.#emit(event)
    if (event.event === 'overrun') this.#mender.lost = this.#clock.now()
    if (event.event === 'installed') this.#mender.look({ age: this.#ageOf(event.time) })
    if (event.event === 'removed') this.#mender.look({ age: this.#ageOf(event.time), isGone: true })
    if (!['granted', 'closed', 'banned'].includes(event.event)) return
    this.#writer?.changed()
    this.#mender.late.take(event)
  }

  async #watchClock(): Promise<void> {
    while (await this.#clock.pause(CLOCK_EVERY, this.#signal)) this.#dates.date()
  }

  async #refill(): Promise<void> {
    const { refillEvery } = this.#table
    if (refillEvery === undefined) return
    while (await this.#clock.pause(refillEvery * 1000, this.#signal)) {
      this.#mender.look({ isDue: true })
    }
  }

  /** Writes the last state from a listing: no event reports used connections. */
  async #end(): Promise<void> {
    if (!this.#writer) return
    const isWritten = async (work: Promise<unknown> | undefined): Promise<boolean> => {
      if (!work || (await this.#isDone(work))) return true
      this.#fail('save', UNWRITTEN)
      return false
    }
    if (!(await isWritten(this.#writer.settled))) return
    try {
      if (!(await this.#isDone(this.#looks.read()))) this.#fail('list', UNREAD)
    } catch (error) {
      if (!isNotFound(error)) this.#fail('list', error)
    }
    await isWritten(this.#writer.end())
  }

  /** Whether work ends in the time that each part of the end may take. */
  #isDone(work: Promise<unknown>): Promise<boolean> {
    return isDoneWithin(work, STOP, this.#clock)
  }

  /** Milliseconds since an event; 0 if the clock was set back. */
  #ageOf(time: string): number {
    return Math.max(this.#clock.date() - Date.parse(time), 0) || 0
  }

  #fail(what: FailedEvent['what'], error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#emit({ time: isoDate(this.#clock), event: 'failed', what, message })
  }
}
