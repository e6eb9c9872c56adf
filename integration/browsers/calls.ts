// Calls to a browser that answers in its own order: each gets a number, and its answer by it.

interface Call {
  resolve(result: unknown): void
  reject(error: Error): void
}

export class Calls {
  readonly #open = new Map<number, Call>()
  #made = 0
  #failure: Error | undefined

  /** @param send - is given the number of the call. */
  make(send: (id: number) => void): Promise<unknown> {
    this.#made += 1
    const id = this.#made
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      this.#open.set(id, { resolve, reject })
      send(id)
    })
  }

  answer(id: number, error: string | undefined, result: unknown): void {
    const call = this.#open.get(id)
    this.#open.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(error))
  }

  /** The browser has ended: no answer will come. */
  fail(error: Error): void {
    this.#failure = error
    for (const call of this.#open.values()) call.reject(error)
    this.#open.clear()
  }
}
