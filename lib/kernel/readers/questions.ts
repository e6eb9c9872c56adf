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
   * Calls `put` with a new number. Resolves with false after so many milliseconds, or when all are
   * given up.
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
        // A process that was busy all the while finds the answer only after its timers.
        if (isOver) setImmediate(() => this.#settle(number, false))
      })
      put(number)
    })
  }

  answer(number: number): void {
    this.#settle(number, true)
  }

  /** Nobody is left to answer. */
  giveUp(): void {
    for (const number of this.#asked.keys()) this.#settle(number, false)
  }

  #settle(number: number, isAnswered: boolean): void {
    this.#asked.get(number)?.(isAnswered)
    this.#asked.delete(number)
  }
}
