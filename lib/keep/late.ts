// News of a table that is gone, which come when another stands in its place → put into that one.
// Wiring only.
//
// News of packets and of transactions come on ways of their own: what happened to a grant just
// before a flush may be reported after it.
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
  /** What is known, with these news. */
  readonly state: () => KnockState
  /** Settles when no table is being made. */
  readonly ensured: () => Promise<void>
  readonly failed: (error: unknown) => void
  readonly signal: AbortSignal
}

/**
 * Milliseconds after the table was made in which news of the one before may come, and how long they
 * are gathered.
 */
const LATE = 2000
const GATHER = 20
/** Milliseconds until what failed is tried again. */
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

  /** Settles when nothing is being put there. */
  get settled(): Promise<void> | undefined {
    return this.#putting
  }

  /** The table is made, or altered, from now on until `ensured`. */
  making(): void {
    this.#isBeingMade = true
  }

  /** The table was made anew. */
  made(): void {
    this.#made = this.#options.clock.now()
  }

  /** No table is being made any more. */
  done(): void {
    this.#isBeingMade = false
  }

  /** Takes news of a grant or a ban. What is there already is left as it is. */
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
    // Not a moment later: news between would be nobody's.
    this.#putting = undefined
  }

  /** One that fails must not lose the others. Gives back what is to be tried again. */
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
        // A table that is gone is made with all of this; a door or a grant that is not there has
        // nothing to close.
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
