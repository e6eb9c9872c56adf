// Records → lines on a stream. If the stream is not read, a bounded number waits, and the rest is
// counted.
import type { Writable } from 'node:stream'

/** The most records that wait, which are some megabytes. */
export const MOST_WAITING = 32_768
/**
 * Lines in one write: enough that the cost of a write is shared, and few enough that the first line
 * does not wait.
 */
const BATCH = 512

/** A line that says how many records are missing in its place. */
export type Lost = { readonly lost: number }

/**
 * Writes a line of JSON for each record, in order. While nobody reads, records wait. When too many
 * wait, new ones are dropped, and a line in their place has their number.
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
   * Takes a record that the caller can report later instead. Returns false if there is no room,
   * without counting it as lost.
   */
  offer(record: object): boolean {
    if (this.#waiting.length >= this.#most) return false
    this.report(record)
    return true
  }

  /** Counts records that were lost before they reached this output. */
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

  /** Writes after this turn of the event loop has read everything, so that one write has many. */
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
