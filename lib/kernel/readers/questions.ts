// Questions to a reading process by their numbers → whether each was answered in time. Pure but for
// its clock.
import type { Clock } from '../../clock/clock.js'

export class Questions {
  readonly #clock: Clock
  readonly #asked = new Map<number, (isAnswered: boolean) => void>()
  #last = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Calls `put` with a new number. Resolves with true when that number is answered, and with false
   * after `patience` milliseconds or at `giveUp`.
   */
  ask(put: (number: number) => void, patience: number): Promise<boolean> {
    this.#last += 1
    const number = this.#last
    return new Promise((resolve) => {
      const answered = new AbortController()
      this.#asked.set(number, (isAnswered) => {
        answered.abort()
        resolve(isAnswered)
      })
      void this.#clock.pause(patience, answered.signal).then((isOver) => {
        // A process that was busy reads an answer that has arrived only after its timers.
        if (isOver) setImmediate(() => this.#settle(number, false))
      })
      put(number)
    })
  }

  answer(number: number): void {
    this.#settle(number, true)
  }

  /** Resolves all open questions with false, because the process is gone. */
  giveUp(): void {
    for (const number of this.#asked.keys()) this.#settle(number, false)
  }

  #settle(number: number, isAnswered: boolean): void {
    this.#asked.get(number)?.(isAnswered)
    this.#asked.delete(number)
  }
}
