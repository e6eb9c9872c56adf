// Late events of a table that is gone → added to the table that replaced it.
//
// Packets and transactions are reported on separate ways: a grant's event from just before a flush
// may come after it.
import type { Clock } from '../clock/clock.js'
import { isNotFound } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { ClosedEvent, KnockEvent } from '../view/event.js'
import { lateOf } from '../view/late-news.js'

interface LateNewsOptions {
  readonly clock: Clock
  readonly table: {
    restore(state: KnockState): Promise<void>
    close(grant: ClosedEvent): Promise<unknown>
  }
  /** What is known, including these events. */
  readonly state: () => KnockState
  /** Settles when no table is being made. */
  readonly ensured: () => Promise<void>
  readonly failed: (error: unknown) => void
  readonly signal: AbortSignal
}

/**
 * Milliseconds after the table was made in which late events may come, and for which they are
 * collected.
 */
const LATE = 2000
const GATHER = 20
/** Milliseconds until a failed change is tried again. */
const RETRY = 1000

export class LateNews {
  readonly #options: LateNewsOptions
  #made = Number.NEGATIVE_INFINITY
  #isBeingMade = false
  #news: { readonly event: KnockEvent; readonly came: number }[] = []
  #putting: Promise<void> | undefined

  constructor(options: LateNewsOptions) {
    this.#options = options
  }

  /** Settles when no event is being applied. */
  get settled(): Promise<void> | undefined {
    return this.#putting
  }

  /** Says that the table is being made or altered, until `done`. */
  making(): void {
    this.#isBeingMade = true
  }

  /** Says that the table was made anew. */
  made(): void {
    this.#made = this.#options.clock.now()
  }

  /** Says that no table is being made. */
  done(): void {
    this.#isBeingMade = false
  }

  /** Takes the event of a grant or a ban. What the table has already stays. */
  take(event: KnockEvent): void {
    const came = this.#options.clock.now()
    if (!this.#isBeingMade && came >= this.#made + LATE) return
    this.#news.push({ event, came })
    this.#putting ??= this.#put()
  }

  async #put(): Promise<void> {
    const { clock, ensured, signal } = this.#options
    while (this.#news.length > 0 && !signal.aborted) {
      await ensured()
      await clock.pause(GATHER, signal)
      const news = this.#news.splice(0).filter(({ came }) => came < this.#made + LATE)
      if (news.length === 0) continue
      const left = await this.#apply(news)
      if (left.length === 0) continue
      this.#news.unshift(...left)
      await clock.pause(RETRY, signal)
    }
    // Synchronously: an event between the loop's end and this would be lost.
    this.#putting = undefined
  }

  /**
   * Applies events one by one, so that a failure does not lose others. Returns those to try again.
   */
  async #apply<T extends { readonly event: KnockEvent }>(
    news: readonly T[],
  ): Promise<readonly T[]> {
    const { table, state, failed } = this.#options
    const late = lateOf(
      state(),
      news.map(({ event }) => event),
    )
    const isDone = async (work: () => Promise<unknown>): Promise<boolean> => {
      try {
        await work()
      } catch (error) {
        // If the table is gone, the next one is made with all of this. If the door or grant is
        // gone, there is nothing to close.
        if (isNotFound(error)) return true
        failed(error)
        return false
      }
      return true
    }
    const left = new Set<KnockEvent>()
    for (const event of late.closed) {
      if (!(await isDone(() => table.close(event)))) left.add(event)
    }
    const isRestored = await isDone(() => table.restore(late.state))
    return isRestored ? news.filter(({ event }) => left.has(event)) : news
  }
}
