// A kept table → what it holds and whether its chains are intact, listed again and again.
import type { Clock } from '../clock/clock.js'
import { isNotFound } from '../errors.js'
import type { KnownState } from '../view/known-state.js'
import type { KeptTable } from './kept-table.js'
import type { Seen } from './mender.js'
import type { WatchedClock } from './watched-clock.js'

/**
 * Milliseconds between two listings: a multiple of the time that one takes, within these bounds.
 */
const LIST_EVERY = { least: 1000, most: 30_000 } as const
const LIST_SHARE = 10
/** Milliseconds until a failed listing is tried again. */
const RETRY = 1000

interface LooksOptions {
  readonly table: Pick<KeptTable, 'save'>
  readonly known: KnownState
  readonly clock: Clock
  readonly dates: WatchedClock
  /** Called if the table holds something that was not known. */
  readonly changed: () => void
  /** Asks to mend the table. */
  readonly look: (seen: Seen) => void
  /** Whether the table is being mended. */
  readonly isBusy: () => boolean
  readonly failed: (error: unknown) => void
  readonly signal: AbortSignal
}

export class Looks {
  /**
   * When the last listing began, and when the table was last known to be whole, in milliseconds of
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

  /**
   * Lists the table again and again. Packets change grants without an event if logging is off or
   * above its rate.
   */
  async run(): Promise<void> {
    let [pause, isFirst] = [0, true]
    while (await this.#clock.pause(pause, this.#signal)) {
      const begun = this.#clock.now()
      try {
        // At the start: a file that cannot be written is noticed now, not when there is something
        // to lose.
        const { isNews, isWhole } = await this.read()
        if (isNews || isFirst) this.#changed()
        isFirst = false
        if (!isWhole) await this.#lookAgain()
        const share = LIST_SHARE * (this.#clock.now() - begun)
        pause = Math.min(Math.max(LIST_EVERY.least, share), LIST_EVERY.most)
      } catch (error) {
        // An event usually reports a table that is gone; this is for when none comes.
        if (!this.#signal.aborted) this.#look({ isGone: isNotFound(error), isUnheard: true })
        if (!isNotFound(error)) this.#failed(error)
        pause = RETRY
      }
    }
  }

  /**
   * Lists once more: a listing during a failing transaction can be wrong, but two in a row are not.
   */
  async #lookAgain(): Promise<void> {
    if (this.#isBusy() || this.#signal.aborted) return
    const { isWhole } = await this.read()
    if (!isWhole && !this.#isBusy() && !this.#signal.aborted) this.#look({ isUnheard: true })
  }

  /** Lists the table. Returns whether that was news, and whether the chains are intact. */
  async read(): Promise<{ readonly isNews: boolean; readonly isWhole: boolean }> {
    for (;;) {
      this.#dates.date()
      const isPutRight = this.#dates.mark()
      const begun = this.#clock.now()
      const { state, isWhole } = await this.#table.save()
      const date = this.#dates.date()
      // The clock was set during the listing, so its times are wrong.
      if (isPutRight()) continue
      this.listed = begun
      if (isWhole) this.seenWhole = Math.max(this.seenWhole, begun)
      return { isNews: this.#known.read(state, date), isWhole }
    }
  }
}
