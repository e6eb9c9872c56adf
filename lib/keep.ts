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
  /** `events`: packets' deeds are not told until the NFLOG group can be read again; that is `watching` again. */
  readonly what: 'install' | 'list' | 'save' | 'events' | 'confirm' | 'contested'
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

/** Milliseconds between two listings, and how many times longer than a listing took at least. */
const LIST_EVERY = 1000
const LIST_SHARE = 10
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

export class Keeper {
  readonly #table: KeptTable
  readonly #known: KnownState
  readonly #tell: (event: KeepEvent) => void
  readonly #signal: AbortSignal
  /** When the news came that is not seen to yet, in milliseconds of the monotonic clock. */
  #news: number | undefined
  #ensuring: Promise<void> | undefined
  /** When the table was made anew. */
  #made = Number.NEGATIVE_INFINITY
  readonly #contest = new Contest()
  #late: Promise<void> | undefined
  #closed: ClosedEvent[] = []
  #unwritten = false
  #writing: Promise<void> | undefined
  /** Told already, and true until one succeeds. */
  #saveFailure: string | undefined

  constructor(
    table: KeptTable,
    known: KnownState,
    signal: AbortSignal,
    tell: (event: KeepEvent) => void,
  ) {
    this.#table = table
    this.#known = known
    this.#signal = signal
    this.#tell = tell
  }

  /** Resolves when the signal is aborted, after the last state is written; rejects where nothing can be watched. */
  async run(): Promise<void> {
    const ended = new AbortController()
    const signal = AbortSignal.any([this.#signal, ended.signal])
    try {
      await Promise.all([
        this.#follow(signal).finally(() => ended.abort()),
        this.#list(signal),
        this.#refill(signal),
      ])
    } finally {
      ended.abort()
      await this.#late
      await this.#ensuring
      await this.#end()
    }
  }

  /** A table that goes just as a watch of it begins is put back, and watched anew. */
  async #follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#watch(signal)
        return
      } catch (error) {
        if (!isNotFound(error) || signal.aborted) throw error
        this.#look()
        await this.#ensuring
      }
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const records = this.#table.records({ signal })
    records.ready.then(
      () => this.#tell({ time: new Date().toISOString(), event: 'watching' }),
      // The iteration is told the same.
      () => {},
    )
    for await (const record of records) {
      const { event } = record
      this.#known.tell(record, Date.now())
      this.#tell(event)
      if (event.event === 'installed' || event.event === 'removed') this.#look()
      if (!['granted', 'closed', 'banned'].includes(event.event)) continue
      this.#write()
      if (!this.#ensuring && performance.now() >= this.#made + LATE) continue
      if (event.event === 'closed') this.#closed.push(event)
      this.#putLate()
    }
  }

  /** Sees to it that the table stands; what comes meanwhile is seen to afterwards. */
  #look(): void {
    this.#news ??= performance.now()
    this.#ensuring ??= this.#ensure().finally(() => {
      this.#ensuring = undefined
    })
  }

  async #ensure(): Promise<void> {
    let retry = RETRY
    while (this.#news !== undefined && !this.#signal.aborted) {
      const since = this.#news
      this.#news = undefined
      const state = this.#known.state(Date.now())
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
        await this.#pause(retry, this.#signal)
        retry = Math.min(2 * retry, LONGEST_RETRY)
      }
    }
  }

  /**
   * News of packets and of transactions come on ways of their own: what happened to a grant just before a flush may be
   * told after it. What is there already is left as it is.
   */
  #putLate(): void {
    this.#late ??= this.#restore().finally(() => {
      this.#late = undefined
    })
  }

  async #restore(): Promise<void> {
    await this.#ensuring
    await this.#pause(GATHER, this.#signal)
    const closed = this.#closed.splice(0)
    if (performance.now() >= this.#made + LATE) return
    const state = this.#known.state(Date.now())
    const holds = (event: ClosedEvent) =>
      state.grants.some(({ door, source }) => door === event.door && source === event.source)
    try {
      for (const event of closed) if (!holds(event)) await this.#table.close(event)
      await this.#table.restore(state)
    } catch (error) {
      if (!isNotFound(error)) this.#fail('install', error)
    }
  }

  /** Packets change grants without a word where nothing is logged, or more than may be. */
  async #list(signal: AbortSignal): Promise<void> {
    let [pause, isFirst] = [0, true]
    while (await this.#pause(pause, signal)) {
      const begun = performance.now()
      try {
        // A file that cannot be written shows at once, not when there is something to lose.
        if (this.#known.read(await this.#table.save(), Date.now()) || isFirst) this.#write()
        isFirst = false
      } catch (error) {
        // A table that is gone is seen to when that is told; this is for who is not told.
        if (!signal.aborted) this.#look()
        if (!isNotFound(error)) this.#fail('list', error)
      }
      pause = Math.max(LIST_EVERY, LIST_SHARE * (performance.now() - begun))
    }
  }

  async #refill(signal: AbortSignal): Promise<void> {
    const { refillEvery } = this.#table
    if (refillEvery === undefined) return
    while (await this.#pause(refillEvery * 1000, signal)) this.#look()
  }

  #write(): void {
    this.#unwritten = true
    this.#writing ??= this.#flush().finally(() => {
      this.#writing = undefined
    })
  }

  async #flush(): Promise<void> {
    const { write } = this.#table
    if (!write) return
    while (this.#unwritten) {
      // Used tokens are worth no longer a wait; a burst of grants is one file.
      await this.#pause(WRITE_AFTER, this.#signal)
      this.#unwritten = false
      try {
        await write(this.#known.state(Date.now()))
        this.#saveFailure = undefined
      } catch (error) {
        // The last state is written anew.
        if (this.#signal.aborted) return
        const { message } = error as Error
        if (message !== this.#saveFailure) this.#fail('save', error)
        this.#saveFailure = message
        this.#unwritten = true
        await this.#pause(RETRY, this.#signal)
      }
    }
  }

  /** The last state, as the kernel has it: connections that were used are told to nobody. */
  async #end(): Promise<void> {
    await this.#writing
    const { write, save } = this.#table
    if (!write) return
    try {
      this.#known.read(await save(), Date.now())
    } catch (error) {
      if (!isNotFound(error)) this.#fail('list', error)
    }
    try {
      await write(this.#known.state(Date.now()))
    } catch (error) {
      this.#fail('save', error)
    }
  }

  #fail(what: FailedEvent['what'], error: unknown): void {
    if (this.#signal.aborted && (error as { code?: unknown }).code === 'aborted') return
    const message = error instanceof Error ? error.message : String(error)
    this.#tell({ time: new Date().toISOString(), event: 'failed', what, message })
  }

  /** Whether the time went by before the signal was aborted. */
  async #pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }
}
