// How fast actions may be begun. Pure.

/** Actions that may be begun at once, and in each second after that. */
export const BURST = 20
const EVERY = 1000 / BURST

/**
 * A bucket of tokens. Beginning a process takes milliseconds of this one's only thread, and a
 * keeper that has to put back a table must not wait behind many.
 */
export class Pace {
  #tokens = BURST
  #at = 0

  /** Milliseconds until the next one may be begun, at a time of the monotonic clock. */
  wait(now: number): number {
    this.#tokens = Math.min(BURST, this.#tokens + (now - this.#at) / EVERY)
    this.#at = now
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * EVERY)
  }

  take(): void {
    this.#tokens -= 1
  }
}
