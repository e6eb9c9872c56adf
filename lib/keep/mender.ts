// Reports of changes → the table as it should be: put back at once if it is gone, mended, loaded
// ahead.
import { setImmediate as immediate } from 'node:timers/promises'
import { type Clock, isoDate } from '../clock/clock.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { CONTESTED, Contest } from './contest.js'
import type { FailedEvent, RestoredEvent } from './event.js'
import type { KeptTable } from './kept-table.js'
import { LateNews } from './late.js'
import type { Looks } from './looks.js'

/** Milliseconds until a failure is tried again: first, and at most. */
const RETRY = 1000
const LONGEST_RETRY = 10_000
/**
 * Milliseconds to wait for the last events of packets before tokens are loaded: while the doors are
 * closed, and while they may be open.
 */
const SETTLE = { shut: 2000, open: 200 } as const

/** A change that is not handled yet. */
interface News {
  /** When it was reported, in milliseconds of the monotonic clock. */
  readonly since: number
  /** Since when the doors may be open, by the same clock. */
  readonly open: number
  /** Whether a refill of what is loaded already is due. */
  readonly isDue: boolean
}

/** The reason for a look at the table. */
export interface Seen {
  /** Milliseconds since it happened. */
  readonly age?: number
  /** Whether the table is gone. */
  readonly isGone?: boolean
  /**
   * Whether no event reported it. Then it may have happened at any time since the table was last
   * seen whole.
   */
  readonly isUnheard?: boolean
  readonly isDue?: boolean
}

interface MenderOptions {
  readonly clock: Clock
  readonly table: KeptTable
  readonly looks: Pick<Looks, 'listed' | 'seenWhole'>
  /** What is known of the table. */
  readonly state: () => KnockState
  /** Whether everything that packets have done is reported, within `patience` milliseconds. */
  readonly settled: (patience: number) => Promise<boolean>
  readonly emit: (event: RestoredEvent) => void
  readonly failed: (what: FailedEvent['what'], error: unknown) => void
  readonly signal: AbortSignal
}

export class Mender {
  /** When records were last lost, in milliseconds of the monotonic clock. */
  lost = Number.NEGATIVE_INFINITY
  readonly late: LateNews
  readonly #clock: Clock
  readonly #table: KeptTable
  readonly #looks: MenderOptions['looks']
  readonly #state: MenderOptions['state']
  readonly #settled: MenderOptions['settled']
  readonly #emit: MenderOptions['emit']
  readonly #failed: MenderOptions['failed']
  readonly #signal: AbortSignal
  #news: News | undefined
  #shutting: Promise<void> | undefined
  /** Counts how often the table was put back at once. */
  #generation = 0
  /** Whether the table was made and nothing is loaded ahead yet. */
  #isShut = false
  #ensuring: Promise<void> | undefined
  readonly #contest = new Contest()
  /** When the last listing began before the table was made anew. */
  #basis: number | undefined

  constructor(options: MenderOptions) {
    const { clock, table, looks, state, settled, emit, failed, signal } = options
    this.#clock = clock
    this.#table = table
    this.#looks = looks
    this.#state = state
    this.#settled = settled
    this.#emit = emit
    this.#failed = failed
    this.#signal = signal
    this.late = new LateNews({
      clock,
      table,
      state,
      ensured: async () => this.#ensuring,
      failed: (error) => failed('install', error),
      signal,
    })
  }

  /** Settles when no change is left to handle; undefined if there is none. */
  get ensuring(): Promise<void> | undefined {
    return this.#ensuring
  }

  /** Handles a change. One that comes meanwhile is handled afterwards. */
  look({ age = 0, isGone = false, isUnheard = false, isDue = false }: Seen = {}): void {
    const before = this.#news
    const since = before?.since ?? this.#clock.now() - age
    const isSeen = isUnheard && Number.isFinite(this.#looks.seenWhole)
    this.#news = {
      since,
      open: before?.open ?? (isSeen ? this.#looks.seenWhole : since),
      isDue: isDue || (before?.isDue ?? false),
    }
    this.late.making()
    // At once, even during other work: until then everyone gets in.
    if (isGone) this.#shutting ??= this.#shut(this.#news)
    this.#ensuring ??= this.#ensure()
  }

  async #ensure(): Promise<void> {
    // The caller must have stored this promise first: a check of the clock may call `look` again.
    await undefined
    let retry = RETRY
    while (this.#news !== undefined && !this.#signal.aborted) {
      const news = this.#news
      this.#news = undefined
      try {
        await this.#shutting
        await this.#make(news)
      } catch (error) {
        this.#failed('install', error)
        this.#news ??= news
        await this.#clock.pause(retry, this.#signal)
        retry = Math.min(2 * retry, LONGEST_RETRY)
      }
    }
    // Synchronously: a change between the loop's end and this would be lost.
    this.#ensuring = undefined
    this.late.done()
  }

  /**
   * Puts back a table that is gone, without tokens and ports: those wait until it is known what was
   * used.
   */
  async #shut(news: News): Promise<void> {
    // A later listing may be of another table.
    this.#basis ??= this.#looks.listed
    const state = this.#state()
    this.#generation += 1
    try {
      if (!(await this.#table.putBack(state))) return
      this.#isShut = true
      this.late.made()
      // The next look checks and loads it, as an existing table.
      this.look()
      this.#restored('gone', news, state)
    } catch (error) {
      this.#failed('install', error)
    } finally {
      this.#shutting = undefined
    }
  }

  async #make(news: News): Promise<void> {
    const { isDue } = news
    this.#basis ??= this.#looks.listed
    const isCertain = await this.#settle(this.#isShut ? SETTLE.shut : SETTLE.open)
    const generation = this.#generation
    const state = this.#state()
    // What this state lacks may have been used in the earlier table.
    const isStale = () => generation !== this.#generation
    const outcome = await this.#table.ensure(state, { isCertain, isDue, isStale })
    if (isStale() && outcome !== 'made') {
      this.look({ isDue })
      return
    }
    // `ensure` may have made a table that was gone before that was reported.
    const heard = isStale() ? (this.#news ?? news) : news
    this.#isShut = outcome === 'made'
    if (outcome === 'unchanged' || outcome === 'changed') this.#basis = undefined
    if (outcome === 'made') {
      this.late.made()
      this.look({ isDue })
    }
    if (outcome !== 'unchanged') {
      this.#restored(outcome === 'made' ? 'gone' : 'altered', heard, state)
    }
  }

  #restored(was: 'gone' | 'altered', { since, open: from }: News, { grants }: KnockState): void {
    const now = this.#clock.now()
    this.#looks.seenWhole = now
    const [took, open] = [Math.round(now - since), Math.round(now - from)]
    const time = isoDate(this.#clock)
    this.#emit({ time, event: 'restored', was, took, open, grants: grants.length })
    if (this.#contest.putBack(this.#clock.now())) this.#failed('contested', CONTESTED)
  }

  /**
   * Whether everything that was used is known. True if nothing is loaded ahead, because then it
   * does not matter.
   */
  async #settle(patience: number): Promise<boolean> {
    if (this.#table.refillEvery === undefined) return true
    const isSettled = await this.#settled(patience)
    // Lets the iteration take the records that have arrived.
    await immediate()
    return isSettled && this.lost < (this.#basis ?? this.#looks.listed)
  }
}
