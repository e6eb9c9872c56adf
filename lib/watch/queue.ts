// A bounded async queue. On overflow the newest records are dropped and counted in an `overrun`.
import type { OverrunEvent } from '../view/event.js'
import type { TableRecord } from '../view/known-state.js'

interface Gap {
  lost: number | undefined
  readonly time: string
}

interface Asking {
  resolve(result: IteratorResult<TableRecord, undefined>): void
  reject(error: unknown): void
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * Keeps records for one consumer. The consumer gets events in order, with one `overrun` in place of
 * each gap.
 */
export class RecordQueue {
  readonly #most: number
  readonly #now: () => number
  #items: (TableRecord | Gap)[] = []
  #first = 0
  #asking: Asking[] = []
  #end: { readonly error?: unknown } | undefined

  constructor(most: number, now: () => number) {
    this.#most = most
    this.#now = now
  }

  /** Whether somebody waits for the next record. */
  get isAsked(): boolean {
    return this.#asking.length > 0
  }

  get hasFailed(): boolean {
    return this.#end !== undefined && 'error' in this.#end
  }

  push(record: TableRecord): void {
    if (this.#end) return
    const asking = this.#asking.shift()
    if (asking) asking.resolve({ done: false, value: record })
    else if (this.#items.length - this.#first < this.#most) this.#items.push(record)
    else this.lose(1)
  }

  /** Notes a gap of `count` records; undefined: of unknown size. */
  lose(count: number | undefined): void {
    if (this.#end) return
    const last = this.#items.at(-1)
    if (last && this.#first < this.#items.length && !('event' in last)) {
      last.lost = last.lost === undefined || count === undefined ? undefined : last.lost + count
      return
    }
    const gap = { lost: count, time: new Date(this.#now()).toISOString() }
    const asking = this.#asking.shift()
    if (asking) asking.resolve({ done: false, value: reportGap(gap) })
    else this.#items.push(gap)
  }

  next(): Promise<IteratorResult<TableRecord, undefined>> {
    const item = this.#items[this.#first]
    if (item) {
      this.#items[this.#first] = undefined as never
      this.#first += 1
      if (this.#first * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#first)
        this.#first = 0
      }
      return Promise.resolve({ done: false, value: 'event' in item ? item : reportGap(item) })
    }
    const end = this.#end
    if (!end) return new Promise((resolve, reject) => this.#asking.push({ resolve, reject }))
    // An error is thrown once; then the iteration is over.
    this.#end = {}
    return 'error' in end ? Promise.reject(end.error) : Promise.resolve(DONE)
  }

  /** Ends the queue after the records that wait. */
  fail(error: unknown): void {
    if (this.#end) return
    const asking = this.#asking.shift()
    if (asking) asking.reject(error)
    this.#end = asking ? {} : { error }
    this.#release()
  }

  /** Ends the queue and drops the records that wait. */
  end(): void {
    this.#end = {}
    this.#items = []
    this.#first = 0
    this.#release()
  }

  #release(): void {
    for (const { resolve } of this.#asking.splice(0)) resolve(DONE)
  }
}

function reportGap({ lost, time }: Gap): TableRecord {
  const event: OverrunEvent = { time, event: 'overrun', ...(lost !== undefined && { lost }) }
  return { event }
}
