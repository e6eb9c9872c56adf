// Times at which a table was put back → whether somebody else changes it again and again. Pure.

/** So many times within so many milliseconds are no accident. */
const TIMES = 3
const WITHIN = 10_000
/** Milliseconds of peace after which it is told anew. */
const PEACE = 60_000

export class Contest {
  #times: number[] = []
  #isReported = false

  /**
   * Takes that it was put back, at a time of the monotonic clock in milliseconds.
   *
   * @returns whether it must be told that somebody else changes it.
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

/** What is told then. */
export const CONTESTED =
  'somebody else changes the table again and again, and it is put back each time: ' +
  'look for another knocklib run of ' +
  'this table (pgrep -af knocklib), or a timer or script that flushes the ruleset ' +
  'or installs another spec, and stop it'
