// The system's clock, and when it is put right. Pure but for the clock that it is given.
import type { Clock } from '../clock/clock.js'

/** Milliseconds by which a clock that is put right jumps; what is less is another clock's drift. */
const STEP = 2000

/** A clock that says of each reading whether it was put right since the one before. */
export class WatchedClock {
  readonly #clock: Clock
  /** Milliseconds between the clock and the monotonic one. */
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

  /** Marks this moment: the function says whether the clock was put right since. */
  mark(): () => boolean {
    const offset = this.#offset
    return () => Math.abs(this.#offset - offset) > STEP
  }
}
