// The time, and waits for it: the system's, or what a test gives instead. Reads the clocks.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Clock {
  /** Milliseconds of the monotonic clock, which nobody sets. */
  now(): number
  /** Milliseconds since 1970 by the system's clock, which may be put right. */
  date(): number
  /**
   * Waits for so many milliseconds, or until the signal is aborted. Never rejects.
   *
   * @param isHeld - whether the wait keeps the process alive. Default: true.
   * @returns false if the signal is aborted by then.
   */
  pause(milliseconds: number, signal?: AbortSignal, isHeld?: boolean): Promise<boolean>
  /**
   * Calls back once, after so many milliseconds. Does not keep the process alive for that.
   *
   * @returns what calls it off.
   */
  after(milliseconds: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  async pause(milliseconds, signal, isHeld = true) {
    const options = { ref: isHeld, ...(signal && { signal }) }
    await sleep(milliseconds, undefined, options).catch(() => undefined)
    return !signal?.aborted
  },
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds).unref()
    return () => clearTimeout(timer)
  },
}

/** The date as events have it: ISO 8601, in UTC, with milliseconds. */
export const isoDate = (clock: Pick<Clock, 'date'>): string => new Date(clock.date()).toISOString()
