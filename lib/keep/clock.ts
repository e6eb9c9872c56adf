// The system's clock, and when it is put right. Reads the clocks.

/** Milliseconds by which a clock that is put right jumps; what is less is another clock's drift. */
const STEP = 2000

/** A clock that says of each reading whether it was put right since the one before. */
export class WatchedClock {
  /** Milliseconds between the clock and the monotonic one. */
  #offset: number
  readonly #stepped: (step: number) => void

  /** @param stepped - called with the milliseconds, before `now` returns. */
  constructor(offset: number, stepped: (step: number) => void) {
    this.#offset = offset
    this.#stepped = stepped
  }

  /** Milliseconds since 1970. */
  now(): number {
    const now = Date.now()
    const offset = now - performance.now()
    const step = offset - this.#offset
    this.#offset = offset
    if (Math.abs(step) > STEP) this.#stepped(step)
    return now
  }

  /** Marks this moment: the function says whether the clock was put right since. */
  mark(): () => boolean {
    const offset = this.#offset
    return () => Math.abs(this.#offset - offset) > STEP
  }
}
