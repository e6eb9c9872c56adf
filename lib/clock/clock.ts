// The time, and waits for it: the system's, or what a test gives instead. Reads the clocks.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Clock {
  /** Returns the milliseconds of the monotonic clock, which cannot be set. */
  now(): number
  /** Returns the milliseconds since 1970 by the system's clock, which can be set. */
  date(): number
  /**
   * Waits for this many milliseconds, or until the signal is aborted. Never rejects.
   *
   * @param isHeld - whether the wait keeps the process alive. Default: true.
   * @returns true, or false if the signal was aborted.
   */
  pause(milliseconds: number, signal?: AbortSignal, isHeld?: boolean): Promise<boolean>
  /**
   * Calls back once, after this many milliseconds. Does not keep the process alive.
   *
   * @returns a function that cancels the call.
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

/** Returns the date in the form of events: ISO 8601, in UTC, with milliseconds. */
export const isoDate = (clock: Pick<Clock, 'date'>): string => new Date(clock.date()).toISOString()
