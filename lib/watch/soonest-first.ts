// Items with a time → the item with the earliest time. Pure; a binary heap.

export class SoonestFirst<T> {
  readonly #timeOf: (item: T) => number
  #items: T[] = []

  constructor(timeOf: (item: T) => number) {
    this.#timeOf = timeOf
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  get size(): number {
    return this.#items.length
  }

  clear(): void {
    this.#items = []
  }

  add(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  /** Removes the first item. */
  take(): void {
    const items = this.#items
    const last = items.pop()
    if (items.length === 0 || last === undefined) return
    items[0] = last
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      if (left < items.length && this.#isBefore(left, least)) least = left
      if (right < items.length && this.#isBefore(right, least)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #isBefore(a: number, b: number): boolean {
    return this.#timeOf(this.#items[a] as T) < this.#timeOf(this.#items[b] as T)
  }

  #swap(a: number, b: number): void {
    const items = this.#items
    const item = items[a] as T
    items[a] = items[b] as T
    items[b] = item
  }
}
