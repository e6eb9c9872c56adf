// Times at which a table was put back → whether another program keeps changing it. Pure.

/** This many times within this many milliseconds are reported. */
const TIMES = 3
const WITHIN = 10_000
/** Milliseconds without a change after which it is reported again. */
const PEACE = 60_000

export class Contest {
  #times: number[] = []
  #isReported = false

  /**
   * Counts that the table was put back at `now`, in milliseconds of the monotonic clock.
   *
   * @returns whether `CONTESTED` must be reported now.
   */
  putBack(now: number): boolean {
    const last = this.#times.at(-1)
    if (last !== undefined && now - last > PEACE) this.#isReported = false
    this.#times = [...this.#times, now].slice(-TIMES)
    const [first = now] = this.#times
    if (this.#isReported || this.#times.length < TIMES || now - first > WITHIN) return false
    this.#isReported = true
    return true
  }
}

/** The message of the report. */
export const CONTESTED =
  'another program keeps changing the table, and it is put back each time: ' +
  'look for another knocklib run of ' +
  'this table (pgrep -af knocklib), or a timer or script that flushes the ruleset ' +
  'or installs another spec, and stop it'
