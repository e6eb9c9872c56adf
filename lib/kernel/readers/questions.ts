// Questions to a reading process by their numbers → whether each was answered in time. Pure but for
// timers.

export class Questions {
  readonly #asked = new Map<number, (isAnswered: boolean) => void>()
  #last = 0

  /**
   * Calls `put` with a new number. Resolves with false after so many milliseconds, or when all are
   * given up.
   */
  ask(put: (number: number) => void, patience: number): Promise<boolean> {
    this.#last += 1
    const number = this.#last
    return new Promise((resolve) => {
      // A process that was busy all the while finds the answer only after its timers.
      const giveUp = () => setImmediate(() => this.#settle(number, false))
      const timer = setTimeout(giveUp, patience)
      this.#asked.set(number, (isAnswered) => {
        clearTimeout(timer)
        resolve(isAnswered)
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
