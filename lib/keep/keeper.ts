// Keeps a table standing: put back where it was flushed or altered, refilled, its state known and saved. Wiring only.
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import { isNotFound } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { ClosedEvent } from '../view/event.js'
import type { KnownState, TableRecord } from '../view/known-state.js'
import { Contest } from './contest.js'
import type { FailedEvent, KeepEvent } from './event.js'
import { LateNews } from './late.js'
import { StateWriter } from './state-writer.js'
import { isDoneWithin } from './stop.js'

/** What is told of a table. */
export interface TableRecords extends AsyncIterable<TableRecord> {
  /** Settles when all that can be told is told; rejects as the iteration does. */
  readonly ready: Promise<void>
  /** Whether what packets do is not told. */
  readonly isDeaf: boolean
  /** Whether all that packets did by now is among the records, within so many milliseconds. */
  settled(patience: number): Promise<boolean>
  /** Ends it; settles when all is given back. */
  return?(value: undefined): Promise<unknown>
}

export interface EnsureHow {
  /** Whether all that was used is in the state. */
  readonly isCertain: boolean
  /** Whether what is loaded already is loaded anew. */
  readonly isDue: boolean
  /** Whether the table was put back meanwhile, so that what was used is not known any more: then nothing is done. */
  readonly isStale: () => boolean
}

/** What a look at a table finds. */
export interface Held {
  readonly state: KnockState
  /** Whether its base chains and its rules stand as the spec has them. */
  readonly isWhole: boolean
}

/** What a keeper does to its table. */
export interface KeptTable {
  /**
   * Makes a table that is gone with this state, as fast as can be: its doors are shut, and nothing is loaded ahead yet.
   *
   * @returns false where a table is there.
   */
  putBack(state: KnockState): Promise<boolean>
  /**
   * Makes the table stand as the spec has it, with this state where it is made anew; loads tokens and rotating
   * sequences ahead from now, but not into a table that it makes: the next call does that.
   */
  ensure(state: KnockState, how: EnsureHow): Promise<'unchanged' | 'made' | 'changed'>
  /** Seconds after which it is loaded ahead anew; undefined where nothing is loaded. */
  readonly refillEvery: number | undefined
  /** Puts into the table what it lacks of a state. */
  restore(state: KnockState): Promise<void>
  /** Takes a grant away, where there is one. */
  close(grant: ClosedEvent): Promise<unknown>
  /** What the table holds now, and whether its chains are those of the spec. */
  save(): Promise<Held>
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
/**
 * Milliseconds in which the packets' last deeds must be known before tokens are loaded: while the doors are shut, and while
 * they may stand open.
 */
const SETTLE = { shut: 2000, open: 200 } as const
/** Milliseconds that each part of the end may take. */
const STOP = 3000
const UNDER_WAY =
  'what was under way did not end within 3 s (does nft hang?), and is left; the table may be as it was before, or after it'
const UNREAD =
  'nft did not list the table within 3 s; the state is written as it was known by events and the listing before'
const UNWRITTEN =
  'the state was not written within 3 s, and is left; the file is as it was before, or as it should be'
const CONTESTED =
  'somebody else changes the table again and again, and it is put back each time: look for another knocklib run of ' +
  'this table (pgrep -af knocklib), or a timer or script that flushes the ruleset or installs another spec, and stop it'

/** News that is not seen to yet. */
interface News {
  /** When it came, in milliseconds of the monotonic clock. */
  readonly since: number
  /** From when on the doors may be open, by the same clock. */
  readonly open: number
  /** Whether it is time to load ahead anew what stands, too. */
  readonly isDue: boolean
}

/** What asks for a look at the table. */
interface Seen {
  /** Milliseconds since it happened. */
  readonly age?: number
  /** Whether the table is gone. */
  readonly isGone?: boolean
  /** Whether nobody told of it: then it happened at any time since the table was seen whole. */
  readonly isUnheard?: boolean
  readonly isDue?: boolean
}

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
  #news: News | undefined
  #shutting: Promise<void> | undefined
  /** How often it was put back at once. */
  #generation = 0
  /** Whether the table was made and not loaded ahead yet. */
  #isShut = false
  #ensuring: Promise<void> | undefined
  readonly #contest = new Contest()
  readonly #late: LateNews
  #records: TableRecords | undefined
  /** When records were lost last, and when the last listing began, in milliseconds of the monotonic clock. */
  #lost = Number.NEGATIVE_INFINITY
  #listed = Number.NEGATIVE_INFINITY
  /** When the table was known to be whole last, by the same clock. */
  #seenWhole = Number.NEGATIVE_INFINITY
  /** The last listing of a table that has been made anew since, or is about to be. */
  #basis: number | undefined
  readonly #writer: StateWriter | undefined
  #givenBack: Promise<unknown> | undefined

  constructor(table: KeptTable, known: KnownState, { signal, tell, offset }: KeeperOptions) {
    this.#table = table
    this.#known = known
    this.#signal = AbortSignal.any([signal, this.#ended.signal])
    this.#tell = tell
    this.#offset = offset
    this.#late = new LateNews({
      table,
      state: () => known.state(this.#now()),
      ensured: async () => this.#ensuring,
      failed: (error) => this.#fail('install', error),
      signal: this.#signal,
    })
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
    const ended = Promise.all(parts).then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    await Promise.race([ended, aborted(this.#signal)])
    this.#ended.abort()
    // nft may hang, and so may a disk: a stop ends all the same, and what is known is written.
    const under = Promise.allSettled([...parts, this.#late.settled, this.#ensuring])
    if (!(await isDoneWithin(under, STOP))) this.#fail('stop', UNDER_WAY)
    await this.#end()
    if (this.#givenBack) await isDoneWithin(this.#givenBack, STOP)
    const failure = await Promise.race([ended, immediate(undefined)])
    if (failure) throw failure.error
  }

  /** A table that goes just as a watch of it begins is put back, and watched anew. */
  async #follow(): Promise<void> {
    for (;;) {
      try {
        await this.#watch()
        return
      } catch (error) {
        if (!isNotFound(error) || this.#signal.aborted) throw error
        this.#look({ isGone: true })
        await this.#ensuring
      }
    }
  }

  async #watch(): Promise<void> {
    const records = this.#table.records({ signal: this.#signal })
    this.#records = records
    records.ready.then(
      () => {
        if (!records.isDeaf) this.#tell({ time: new Date().toISOString(), event: 'watching' })
      },
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
    if (event.event === 'overrun') this.#lost = performance.now()
    if (event.event === 'installed') this.#look({ age: ageOf(event.time) })
    if (event.event === 'removed') this.#look({ age: ageOf(event.time), isGone: true })
    if (!['granted', 'closed', 'banned'].includes(event.event)) return
    this.#writer?.changed()
    this.#late.take(event)
  }

  /** Milliseconds since 1970. What was loaded by a clock that is put right since is loaded anew. */
  #now(): number {
    const now = Date.now()
    const offset = now - performance.now()
    const step = offset - this.#offset
    this.#offset = offset
    if (Math.abs(step) > STEP) {
      this.#known.shift(step)
      if (this.#table.refillEvery !== undefined) this.#look({ isDue: true })
    }
    return now
  }

  /** Sees to it that the table stands; what comes meanwhile is seen to afterwards. */
  #look({ age = 0, isGone = false, isUnheard = false, isDue = false }: Seen = {}): void {
    const before = this.#news
    const since = before?.since ?? performance.now() - age
    const isSeen = isUnheard && Number.isFinite(this.#seenWhole)
    this.#news = {
      since,
      open: before?.open ?? (isSeen ? this.#seenWhole : since),
      isDue: isDue || (before?.isDue ?? false),
    }
    this.#late.making()
    // At once, whatever else is under way: until then everyone gets in.
    if (isGone) this.#shutting ??= this.#shut(this.#news)
    this.#ensuring ??= this.#ensure()
  }

  async #ensure(): Promise<void> {
    // Whoever begins it must have noted that first: a look at the clock may ask for it once more.
    await undefined
    let retry = RETRY
    while (this.#news !== undefined && !this.#signal.aborted) {
      const news = this.#news
      this.#news = undefined
      try {
        await this.#shutting
        await this.#make(news)
      } catch (error) {
        this.#fail('install', error)
        this.#news ??= news
        await this.#pause(retry)
        retry = Math.min(2 * retry, LONGEST_RETRY)
      }
    }
    // Not a moment later: news between would be nobody's.
    this.#ensuring = undefined
    this.#late.done()
  }

  /** Shuts the doors of a table that is gone, without what is loaded ahead: that waits until all that was used is known. */
  async #shut(news: News): Promise<void> {
    // What is listed from now on may be another table.
    this.#basis ??= this.#listed
    const state = this.#known.state(this.#now())
    this.#generation += 1
    try {
      if (!(await this.#table.putBack(state))) return
      this.#isShut = true
      this.#late.made()
      // It is looked at, and loaded, as a table that stands.
      this.#look()
      this.#restored('gone', news, state)
    } catch (error) {
      this.#fail('install', error)
    } finally {
      this.#shutting = undefined
    }
  }

  async #make(news: News): Promise<void> {
    const { isDue } = news
    this.#basis ??= this.#listed
    const isCertain = await this.#settle(this.#isShut ? SETTLE.shut : SETTLE.open)
    const generation = this.#generation
    const state = this.#known.state(this.#now())
    // What is not in this state may have been used in the table before.
    const isStale = () => generation !== this.#generation
    const outcome = await this.#table.ensure(state, { isCertain, isDue, isStale })
    if (isStale() && outcome !== 'made') {
      this.#look({ isDue })
      return
    }
    // What made it may have listed a table that was gone before anybody was told.
    const told = isStale() ? (this.#news ?? news) : news
    this.#isShut = outcome === 'made'
    if (outcome === 'unchanged' || outcome === 'changed') this.#basis = undefined
    if (outcome === 'made') {
      this.#late.made()
      this.#look({ isDue })
    }
    if (outcome !== 'unchanged') {
      this.#restored(outcome === 'made' ? 'gone' : 'altered', told, state)
    }
  }

  #restored(was: 'gone' | 'altered', { since, open: from }: News, { grants }: KnockState): void {
    const now = performance.now()
    this.#seenWhole = now
    const [took, open] = [Math.round(now - since), Math.round(now - from)]
    const time = new Date().toISOString()
    this.#tell({ time, event: 'restored', was, took, open, grants: grants.length })
    if (this.#contest.putBack(performance.now())) this.#fail('contested', CONTESTED)
  }

  /** Whether all that was used by now is known. Where nothing is loaded, that makes no difference. */
  async #settle(patience: number): Promise<boolean> {
    if (this.#table.refillEvery === undefined) return true
    const isSettled = (await this.#records?.settled(patience)) ?? false
    // The records are taken as soon as they are asked for.
    await immediate()
    return isSettled && this.#lost < (this.#basis ?? this.#listed)
  }

  /** Packets change grants without a word where nothing is logged, or more than may be. */
  async #list(): Promise<void> {
    let [pause, isFirst] = [0, true]
    while (await this.#pause(pause)) {
      const begun = performance.now()
      try {
        // A file that cannot be written shows at once, not when there is something to lose.
        const { isNews, isWhole } = await this.#read()
        if (isNews || isFirst) this.#writer?.changed()
        isFirst = false
        if (!isWhole) await this.#lookAgain()
        const share = LIST_SHARE * (performance.now() - begun)
        pause = Math.min(Math.max(LIST_EVERY.least, share), LIST_EVERY.most)
      } catch (error) {
        // A table that is gone is seen to when that is told; this is for who is not told.
        if (!this.#signal.aborted) this.#look({ isGone: isNotFound(error), isUnheard: true })
        if (!isNotFound(error)) this.#fail('list', error)
        pause = RETRY
      }
    }
  }

  /** Beside transactions that fail a listing may be wrong: what two of them show is so. */
  async #lookAgain(): Promise<void> {
    if (this.#ensuring || this.#signal.aborted) return
    const { isWhole } = await this.#read()
    if (!isWhole && !this.#ensuring && !this.#signal.aborted) this.#look({ isUnheard: true })
  }

  /** Reads what the table holds; whether that is news, and whether its chains stand. */
  async #read(): Promise<{ readonly isNews: boolean; readonly isWhole: boolean }> {
    for (;;) {
      this.#now()
      const offset = this.#offset
      const begun = performance.now()
      const { state, isWhole } = await this.#table.save()
      const now = this.#now()
      // Else it is dated by a clock that has been put right since.
      if (Math.abs(this.#offset - offset) > STEP) continue
      this.#listed = begun
      if (isWhole) this.#seenWhole = Math.max(this.#seenWhole, begun)
      return { isNews: this.#known.read(state, now), isWhole }
    }
  }

  async #watchClock(): Promise<void> {
    while (await this.#pause(CLOCK_EVERY)) this.#now()
  }

  async #refill(): Promise<void> {
    const { refillEvery } = this.#table
    if (refillEvery === undefined) return
    while (await this.#pause(refillEvery * 1000)) this.#look({ isDue: true })
  }

  /** The last state, as the kernel has it: connections that were used are told to nobody. */
  async #end(): Promise<void> {
    if (!this.#writer) return
    const isWritten = async (work: Promise<unknown> | undefined): Promise<boolean> => {
      if (!work || (await isDoneWithin(work, STOP))) return true
      this.#fail('save', UNWRITTEN)
      return false
    }
    if (!(await isWritten(this.#writer.settled))) return
    try {
      if (!(await isDoneWithin(this.#read(), STOP))) this.#fail('list', UNREAD)
    } catch (error) {
      if (!isNotFound(error)) this.#fail('list', error)
    }
    await isWritten(this.#writer.end())
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

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** Milliseconds since a time that was told; none where the clock has been put back. */
const ageOf = (time: string): number => Math.max(Date.now() - Date.parse(time), 0) || 0
