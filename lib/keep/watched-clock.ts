// The system's clock, and when it is put right. Pure but for the clock that it is given.
import type { Clock } from '../clock/clock.js'

/** Milliseconds: a smaller difference is drift, a larger one means that the clock was set. */
const STEP = 2000

/** A clock that notices, at each reading, whether it was set since the reading before. */
export class WatchedClock {
  readonly #clock: Clock
  /** The date minus the monotonic clock, in milliseconds. */
  #offset: number
  readonly #stepped: (step: number) => void

  /**
   * @param offset - milliseconds between the two clocks, as they were known last.
   * @param stepped - called with the milliseconds, before `date` returns.
   */
  constructor(clock: Clock, offset: number, stepped: (step: number) => void) {
    this.#clock = clock
    this.#offset = offset
    this.#stepped = stepped
  }

  /** Milliseconds since 1970. */
  date(): number {
    const date = this.#clock.date()
    const offset = date - this.#clock.now()
    const step = offset - this.#offset
    this.#offset = offset
    if (Math.abs(step) > STEP) this.#stepped(step)
    return date
  }

  /** Marks this moment. The returned function says whether the clock was set since. */
  mark(): () => boolean {
    const offset = this.#offset
    return () => Math.abs(this.#offset - offset) > STEP
  }
}
