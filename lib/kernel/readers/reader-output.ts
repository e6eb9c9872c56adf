// Records → lines on a stream. If the stream is not read, a bounded number waits, and the rest is
// counted.
import type { Writable } from 'node:stream'

/** What waits at most: some megabytes. */
export const MOST_WAITING = 32_768
/**
 * Lines in one write: enough that a write costs little for each, and few enough that the first
 * waits for nothing.
 */
const BATCH = 512

/** A line that says how many records are missing in its place. */
export type Lost = { readonly lost: number }

/**
 * Writes a line of JSON for each record, in order. Records that come while nobody reads wait;
 * beyond that they are left out, and their number stands in their place.
 */
export class ReaderOutput {
  readonly #stream: Writable
  readonly #most: number
  #waiting: string[] = []
  #lost = 0
  #isBusy = false
  #isPlanned = false

  constructor(stream: Writable, most: number = MOST_WAITING) {
    this.#stream = stream
    this.#most = most
    stream.on('drain', () => {
      this.#isBusy = false
      this.#flush()
    })
  }

  report(record: object): void {
    if (this.#waiting.length >= this.#most) {
      this.#lost += 1
      return
    }
    this.#reportLost()
    this.#waiting.push(JSON.stringify(record))
    this.#plan()
  }

  /**
   * The same of a record that may wait for another time: false if there is no room for it, and
   * nothing is counted then.
   */
  offer(record: object): boolean {
    if (this.#waiting.length >= this.#most) return false
    this.report(record)
    return true
  }

  /** Counts records that were lost before they came here. */
  lose(count: number): void {
    this.#lost += count
    if (this.#waiting.length < this.#most) this.#reportLost()
    this.#plan()
  }

  #reportLost(): void {
    if (this.#lost === 0) return
    const lost: Lost = { lost: this.#lost }
    this.#waiting.push(JSON.stringify(lost))
    this.#lost = 0
  }

  /** After all that this turn of the event loop has read, so that many go in one write. */
  #plan(): void {
    if (this.#isPlanned || this.#isBusy) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      this.#flush()
    })
  }

  #flush(): void {
    while (!this.#isBusy && this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0, BATCH)
      this.#isBusy = !this.#stream.write(`${lines.join('\n')}\n`)
    }
    if (!this.#isBusy && this.#lost > 0) {
      this.#reportLost()
      this.#plan()
    }
  }
}
