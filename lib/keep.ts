// Keeps a table standing: put back where it was flushed or altered, refilled, its state known and saved. Wiring only.
import { setTimeout as sleep } from 'node:timers/promises'
import { Contest } from './contest.js'
import { isNotFound } from './errors.js'
import type { UnconfirmedEvent } from './keep-trial.js'
import type { KnockState } from './spec/generated/state-types.js'
import type { ClosedEvent, KnockEvent } from './view/event.js'
import type { KnownState, TableRecord } from './view/known-state.js'

/** The table was put back: what it took, and with how many grants. */
export interface RestoredEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'restored'
  /** Whether all of it was gone, or some of it altered. */
  readonly was: 'gone' | 'altered'
  /** Milliseconds from the news of it until it stood again. */
  readonly took: number
  readonly grants: number
}

/** Something did not succeed. It is tried again by itself, but for `confirm`: a table that fell open stays open. */
export interface FailedEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'failed'
  /**
   * `events`: packets' deeds are not told until the NFLOG group can be read again; that is `watching` again. `secrets`: the
   * table stands with those that were read before, and nothing is loaded ahead anew.
   */
  readonly what: 'install' | 'secrets' | 'list' | 'save' | 'events' | 'confirm' | 'contested'
  readonly message: string
}

/** From now on nothing is missed: all that happens to the table is told. */
export interface WatchingEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'watching'
}

export type KeepEvent = KnockEvent | RestoredEvent | FailedEvent | WatchingEvent | UnconfirmedEvent

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
/** Milliseconds in which changes are written together. */
const WRITE_AFTER = 100

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
  #unwritten = false
  #writing: Promise<void> | undefined
  /** Told already, and true until one succeeds. */
  #saveFailure: string | undefined
  #givenBack: Promise<unknown> | undefined

  constructor(table: KeptTable, known: KnownState, { signal, tell, offset }: KeeperOptions) {
    this.#table = table
    this.#known = known
    this.#signal = AbortSignal.any([signal, this.#ended.signal])
    this.#tell = tell
    this.#offset = offset
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
    this.#write()
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
    const late = this.#lateNews.splice(0).filter(({ came }) => came < this.#made + LATE)
    if (late.length > 0 && !(await this.#restoreNamed(late.map(({ event }) => event)))) {
      this.#lateNews.unshift(...late)
      await this.#pause(RETRY)
    }
    this.#late = undefined
    if (this.#lateNews.length > 0 && !this.#signal.aborted) this.#putLate()
  }

  /** Whether nothing is left to do. */
  async #restoreNamed(news: readonly KnockEvent[]): Promise<boolean> {
    const state = this.#known.state(this.#now())
    const names = (kind: KnockEvent['event'], source: string, door?: string) =>
      news.some((event) => {
        if (event.event !== kind || !('source' in event) || event.source !== source) return false
        return door === undefined || ('door' in event && event.door === door)
      })
    // What else was known is in the table since it was made, and may have been used up or taken away by now.
    const grants = state.grants.filter(({ door, source }) => names('granted', source, door))
    const bans = state.bans.filter(({ source }) => names('banned', source))
    const holds = (event: ClosedEvent) =>
      state.grants.some(({ door, source }) => door === event.door && source === event.source)
    try {
      for (const event of news) {
        if (event.event === 'closed' && !holds(event)) await this.#table.close(event)
      }
      await this.#table.restore({ ...state, grants, bans })
      return true
    } catch (error) {
      // One that is gone is made with all of this.
      if (isNotFound(error)) return true
      this.#fail('install', error)
      return false
    }
  }

  /** Packets change grants without a word where nothing is logged, or more than may be. */
  async #list(): Promise<void> {
    let [pause, isFirst] = [0, true]
    while (await this.#pause(pause)) {
      const begun = performance.now()
      try {
        // A file that cannot be written shows at once, not when there is something to lose.
        if ((await this.#read()) || isFirst) this.#write()
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

  #write(): void {
    this.#unwritten = true
    const { write } = this.#table
    if (write) this.#writing ??= this.#flush(write)
  }

  async #flush(write: (state: KnockState) => Promise<void>): Promise<void> {
    while (this.#unwritten) {
      // Used tokens are worth no longer a wait; a burst of grants is one file.
      await this.#pause(WRITE_AFTER)
      // What is not known yet is in the file that stands. The first listing asks again.
      if (!this.#known.isComplete) break
      this.#unwritten = false
      try {
        await write(this.#known.state(this.#now()))
        this.#saveFailure = undefined
      } catch (error) {
        // The last state is written anew.
        if (this.#signal.aborted) break
        const { message } = error as Error
        if (message !== this.#saveFailure) this.#fail('save', error)
        this.#saveFailure = message
        this.#unwritten = true
        await this.#pause(RETRY)
      }
    }
    this.#writing = undefined
  }

  /** The last state, as the kernel has it: connections that were used are told to nobody. */
  async #end(): Promise<void> {
    await this.#writing
    const { write } = this.#table
    if (!write) return
    try {
      await this.#read()
    } catch (error) {
      if (!isNotFound(error)) this.#fail('list', error)
    }
    if (!this.#known.isComplete) return
    try {
      await write(this.#known.state(this.#now()))
    } catch (error) {
      this.#fail('save', error)
    }
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
