// Keeps a table standing: put back where it was flushed or altered, refilled, its state known and saved. Wiring only.
import { setTimeout as sleep } from 'node:timers/promises'
import { isNotFound } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { ClosedEvent, KnockEvent } from '../view/event.js'
import type { KnownState, TableRecord } from '../view/known-state.js'
import { lateOf } from '../view/late-news.js'
import { Contest } from './contest.js'
import type { FailedEvent, KeepEvent } from './event.js'
import { StateWriter } from './state-writer.js'

/** What is told of a table. */
export interface TableRecords extends AsyncIterable<TableRecord> {
  /** Settles when nothing is missed any more; rejects as the iteration does. */
  readonly ready: Promise<void>
  /** Ends it; settles when all is given back. */
  return?(value: undefined): Promise<unknown>
}

/** What a keeper does to its table. */
export interface KeptTable {
  /**
   * Makes the table stand as the spec has it, with this state where it is made anew; loads tokens and rotating
   * sequences ahead from now.
   */
  ensure(state: KnockState): Promise<'unchanged' | 'made' | 'changed'>
  /** Seconds after which it is loaded ahead anew; undefined where nothing is loaded. */
  readonly refillEvery: number | undefined
  /** Puts into the table what it lacks of a state. */
  restore(state: KnockState): Promise<void>
  /** Takes a grant away, where there is one. */
  close(grant: ClosedEvent): Promise<unknown>
  /** What the table holds now. */
  save(): Promise<KnockState>
  /** What is told of the table, until the signal is aborted. */
  records(options: { readonly signal: AbortSignal }): TableRecords
  /** Writes a state where it outlives the machine's next start; undefined where nobody asked for that. */
  readonly write: ((state: KnockState) => Promise<void>) | undefined
}

/** Milliseconds between two listings: many times what one takes, within bounds. */
const LIST_EVERY = { least: 1000, most: 30_000 } as const
const LIST_SHARE = 10
/** Milliseconds by which a clock that is put right jumps; what is less is another clock's drift. */
const STEP = 2000
/** Milliseconds between two looks at the clock. */
const CLOCK_EVERY = 1000
/** Milliseconds until what failed is tried again: at first, and at the most. */
const RETRY = 1000
const LONGEST_RETRY = 10_000
/** Milliseconds after the table was made in which news of the one before may come, and how long they are gathered. */
const LATE = 2000
const GATHER = 20
const CONTESTED =
  'somebody else changes the table again and again, and it is put back each time: look for another knocklib run of ' +
  'this table (pgrep -af knocklib), or a timer or script that flushes the ruleset or installs another spec, and stop it'

export interface KeeperOptions {
  /** Ends it. */
  readonly signal: AbortSignal
  readonly tell: (event: KeepEvent) => void
  /** Milliseconds between the clock by which the table was loaded and the monotonic one. */
  readonly offset: number
}

export class Keeper {
  readonly #table: KeptTable
  readonly #known: KnownState
  readonly #tell: (event: KeepEvent) => void
  readonly #ended = new AbortController()
  /** When nothing more is to be done but to write what is known. */
  readonly #signal: AbortSignal
  /** Milliseconds between the clock and the monotonic one. */
  #offset: number
  /** When the news came that is not seen to yet, in milliseconds of the monotonic clock. */
  #news: number | undefined
  #ensuring: Promise<void> | undefined
  /** When the table was made anew. */
  #made = Number.NEGATIVE_INFINITY
  readonly #contest = new Contest()
  #late: Promise<void> | undefined
  /** News that may be of a table before, told when it was or is being made anew; each with when it came. */
  #lateNews: { readonly event: KnockEvent; readonly came: number }[] = []
  readonly #writer: StateWriter | undefined
  #givenBack: Promise<unknown> | undefined

  constructor(table: KeptTable, known: KnownState, { signal, tell, offset }: KeeperOptions) {
    this.#table = table
    this.#known = known
    this.#signal = AbortSignal.any([signal, this.#ended.signal])
    this.#tell = tell
    this.#offset = offset
    const { write } = table
    this.#writer =
      write &&
      new StateWriter({
        write,
        // What is not known yet is in the file that stands. The first listing says that it may be written.
        state: () => (known.isComplete ? known.state(this.#now()) : undefined),
        failed: (error) => this.#fail('save', error),
        signal: this.#signal,
      })
  }

  /** Resolves when the signal is aborted, after the last state is written; rejects where nothing can be watched. */
  async run(): Promise<void> {
    const parts = [
      this.#follow().finally(() => this.#ended.abort()),
      this.#list(),
      this.#refill(),
      this.#watchClock(),
    ] as const
    try {
      await Promise.all(parts)
    } finally {
      this.#ended.abort()
      await Promise.allSettled([...parts, this.#late, this.#ensuring])
      await this.#end()
      await this.#givenBack
    }
  }

  /** A table that goes just as a watch of it begins is put back, and watched anew. */
  async #follow(): Promise<void> {
    for (;;) {
      try {
        await this.#watch()
        return
      } catch (error) {
        if (!isNotFound(error) || this.#signal.aborted) throw error
        this.#look()
        await this.#ensuring
      }
    }
  }

  async #watch(): Promise<void> {
    const records = this.#table.records({ signal: this.#signal })
    records.ready.then(
      () => this.#tell({ time: new Date().toISOString(), event: 'watching' }),
      // The iteration is told the same.
      () => {},
    )
    try {
      for await (const record of records) this.#take(record)
    } finally {
      // The last state need not wait for that.
      this.#givenBack = records.return?.(undefined).catch(() => {})
    }
  }

  #take(record: TableRecord): void {
    const { event } = record
    this.#known.tell(record, this.#now())
    this.#tell(event)
    if (event.event === 'installed' || event.event === 'removed') this.#look()
    if (!['granted', 'closed', 'banned'].includes(event.event)) return
    this.#writer?.changed()
    const came = performance.now()
    if (!this.#ensuring && came >= this.#made + LATE) return
    this.#lateNews.push({ event, came })
    this.#putLate()
  }

  /** Milliseconds since 1970. What was loaded by a clock that is put right since is loaded anew. */
  #now(): number {
    const now = Date.now()
    const offset = now - performance.now()
    const step = offset - this.#offset
    this.#offset = offset
    if (Math.abs(step) > STEP) {
      this.#known.shift(step)
      if (this.#table.refillEvery !== undefined) this.#look()
    }
    return now
  }

  /** Sees to it that the table stands; what comes meanwhile is seen to afterwards. */
  #look(): void {
    this.#news ??= performance.now()
    this.#ensuring ??= this.#ensure()
  }

  async #ensure(): Promise<void> {
    // Whoever begins it must have noted that first: a look at the clock may ask for it once more.
    await undefined
    let retry = RETRY
    while (this.#news !== undefined && !this.#signal.aborted) {
      const since = this.#news
      this.#news = undefined
      const state = this.#known.state(this.#now())
      try {
        const outcome = await this.#table.ensure(state)
        if (outcome === 'unchanged') continue
        if (outcome === 'made') this.#made = performance.now()
        const took = Math.round(performance.now() - since)
        const was = outcome === 'made' ? 'gone' : 'altered'
        const grants = state.grants.length
        this.#tell({ time: new Date().toISOString(), event: 'restored', was, took, grants })
        if (this.#contest.putBack(performance.now())) this.#fail('contested', CONTESTED)
      } catch (error) {
        this.#fail('install', error)
        this.#news ??= since
        await this.#pause(retry)
        retry = Math.min(2 * retry, LONGEST_RETRY)
      }
    }
    // Not a moment later: news between would be nobody's.
    this.#ensuring = undefined
  }

  /**
   * News of packets and of transactions come on ways of their own: what happened to a grant just before a flush may be
   * told after it. What is there already is left as it is.
   */
  #putLate(): void {
    this.#late ??= this.#restore()
  }

  async #restore(): Promise<void> {
    await this.#ensuring
    await this.#pause(GATHER)
    const news = this.#lateNews.splice(0).filter(({ came }) => came < this.#made + LATE)
    try {
      if (news.length > 0) await this.#apply(news.map(({ event }) => event))
    } catch (error) {
      // One that is gone is made with all of this.
      if (!isNotFound(error)) {
        this.#fail('install', error)
        this.#lateNews.unshift(...news)
        await this.#pause(RETRY)
      }
    }
    this.#late = undefined
    if (this.#lateNews.length > 0 && !this.#signal.aborted) this.#putLate()
  }

  async #apply(news: readonly KnockEvent[]): Promise<void> {
    const { closed, state } = lateOf(this.#known.state(this.#now()), news)
    for (const event of closed) await this.#table.close(event)
    await this.#table.restore(state)
  }

  /** Packets change grants without a word where nothing is logged, or more than may be. */
  async #list(): Promise<void> {
    let [pause, isFirst] = [0, true]
    while (await this.#pause(pause)) {
      const begun = performance.now()
      try {
        // A file that cannot be written shows at once, not when there is something to lose.
        if ((await this.#read()) || isFirst) this.#writer?.changed()
        isFirst = false
        const share = LIST_SHARE * (performance.now() - begun)
        pause = Math.min(Math.max(LIST_EVERY.least, share), LIST_EVERY.most)
      } catch (error) {
        // A table that is gone is seen to when that is told; this is for who is not told.
        if (!this.#signal.aborted) this.#look()
        if (!isNotFound(error)) this.#fail('list', error)
        pause = RETRY
      }
    }
  }

  /** Reads what the table holds; whether that is news. */
  async #read(): Promise<boolean> {
    for (;;) {
      this.#now()
      const offset = this.#offset
      const state = await this.#table.save()
      const now = this.#now()
      // Else it is dated by a clock that has been put right since.
      if (Math.abs(this.#offset - offset) <= STEP) return this.#known.read(state, now)
    }
  }

  async #watchClock(): Promise<void> {
    while (await this.#pause(CLOCK_EVERY)) this.#now()
  }

  async #refill(): Promise<void> {
    const { refillEvery } = this.#table
    if (refillEvery === undefined) return
    while (await this.#pause(refillEvery * 1000)) this.#look()
  }

  /** The last state, as the kernel has it: connections that were used are told to nobody. */
  async #end(): Promise<void> {
    if (!this.#writer) return
    await this.#writer.settled
    try {
      await this.#read()
    } catch (error) {
      if (!isNotFound(error)) this.#fail('list', error)
    }
    await this.#writer.end()
  }

  #fail(what: FailedEvent['what'], error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#tell({ time: new Date().toISOString(), event: 'failed', what, message })
  }

  /** Whether the time went by before the signal was aborted. */
  async #pause(milliseconds: number): Promise<boolean> {
    const signal = this.#signal
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }
}
