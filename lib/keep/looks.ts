// A table that is kept → what it holds and whether its chains stand, listed again and again. Wiring
// only.
import type { Clock } from '../clock/clock.js'
import { isNotFound } from '../errors.js'
import type { KnownState } from '../view/known-state.js'
import type { KeptTable } from './kept-table.js'
import type { Seen } from './mender.js'
import type { WatchedClock } from './watched-clock.js'

/** Milliseconds between two listings: many times what one takes, within bounds. */
const LIST_EVERY = { least: 1000, most: 30_000 } as const
const LIST_SHARE = 10
/** Milliseconds until a listing that failed is tried again. */
const RETRY = 1000

interface LooksOptions {
  readonly table: Pick<KeptTable, 'save'>
  readonly known: KnownState
  readonly clock: Clock
  readonly dates: WatchedClock
  /** Called if the table holds what was not known. */
  readonly changed: () => void
  /** Asked to see to the table. */
  readonly look: (seen: Seen) => void
  /** Whether the table is being seen to. */
  readonly isBusy: () => boolean
  readonly failed: (error: unknown) => void
  readonly signal: AbortSignal
}

export class Looks {
  /**
   * When the last listing began, and when the table was known to be whole last, in milliseconds of
   * the monotonic clock.
   */
  listed = Number.NEGATIVE_INFINITY
  seenWhole = Number.NEGATIVE_INFINITY
  readonly #table: LooksOptions['table']
  readonly #known: KnownState
  readonly #clock: Clock
  readonly #dates: WatchedClock
  readonly #changed: () => void
  readonly #look: LooksOptions['look']
  readonly #isBusy: () => boolean
  readonly #failed: LooksOptions['failed']
  readonly #signal: AbortSignal

  constructor(options: LooksOptions) {
    this.#table = options.table
    this.#known = options.known
    this.#clock = options.clock
    this.#dates = options.dates
    this.#changed = options.changed
    this.#look = options.look
    this.#isBusy = options.isBusy
    this.#failed = options.failed
    this.#signal = options.signal
  }

  /** Packets change grants without a word where nothing is logged, or more than may be. */
  async run(): Promise<void> {
    let [pause, isFirst] = [0, true]
    while (await this.#clock.pause(pause, this.#signal)) {
      const begun = this.#clock.now()
      try {
        // A file that cannot be written shows at once, not when there is something to lose.
        const { isNews, isWhole } = await this.read()
        if (isNews || isFirst) this.#changed()
        isFirst = false
        if (!isWhole) await this.#lookAgain()
        const share = LIST_SHARE * (this.#clock.now() - begun)
        pause = Math.min(Math.max(LIST_EVERY.least, share), LIST_EVERY.most)
      } catch (error) {
        // News of a table that is gone are seen to elsewhere; this is for when none come.
        if (!this.#signal.aborted) this.#look({ isGone: isNotFound(error), isUnheard: true })
        if (!isNotFound(error)) this.#failed(error)
        pause = RETRY
      }
    }
  }

  /** Beside transactions that fail a listing may be wrong: what two of them show is so. */
  async #lookAgain(): Promise<void> {
    if (this.#isBusy() || this.#signal.aborted) return
    const { isWhole } = await this.read()
    if (!isWhole && !this.#isBusy() && !this.#signal.aborted) this.#look({ isUnheard: true })
  }

  /** Reads what the table holds; whether that is news, and whether its chains stand. */
  async read(): Promise<{ readonly isNews: boolean; readonly isWhole: boolean }> {
    for (;;) {
      this.#dates.date()
      const isPutRight = this.#dates.mark()
      const begun = this.#clock.now()
      const { state, isWhole } = await this.#table.save()
      const date = this.#dates.date()
      // Else it is dated by a clock that has been put right since.
      if (isPutRight()) continue
      this.listed = begun
      if (isWhole) this.seenWhole = Math.max(this.seenWhole, begun)
      return { isNews: this.#known.read(state, date), isWhole }
    }
  }
}
