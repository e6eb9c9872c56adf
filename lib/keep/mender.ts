// News of a table → the table as it should be: put back at once where it is gone, made whole,
// loaded. Wiring only.
import { setImmediate as immediate } from 'node:timers/promises'
import { type Clock, isoDate } from '../clock/clock.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { CONTESTED, Contest } from './contest.js'
import type { FailedEvent, RestoredEvent } from './event.js'
import type { KeptTable } from './kept-table.js'
import { LateNews } from './late.js'
import type { Looks } from './looks.js'

/** Milliseconds until what failed is tried again: at first, and at the most. */
const RETRY = 1000
const LONGEST_RETRY = 10_000
/**
 * Milliseconds in which the packets' last deeds must be known before tokens are loaded: while the
 * doors are shut, and while they may stand open.
 */
const SETTLE = { shut: 2000, open: 200 } as const

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
export interface Seen {
  /** Milliseconds since it happened. */
  readonly age?: number
  /** Whether the table is gone. */
  readonly isGone?: boolean
  /** Whether nobody reported it: then it happened at any time since the table was seen whole. */
  readonly isUnheard?: boolean
  readonly isDue?: boolean
}

interface MenderOptions {
  readonly clock: Clock
  readonly table: KeptTable
  readonly looks: Pick<Looks, 'listed' | 'seenWhole'>
  /** What is known of the table. */
  readonly state: () => KnockState
  /** Whether all that packets did by now is reported, within so many milliseconds. */
  readonly settled: (patience: number) => Promise<boolean>
  readonly emit: (event: RestoredEvent) => void
  readonly failed: (what: FailedEvent['what'], error: unknown) => void
  readonly signal: AbortSignal
}

export class Mender {
  /** When records were lost last, in milliseconds of the monotonic clock. */
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
  /** How often it was put back at once. */
  #generation = 0
  /** Whether the table was made and not loaded ahead yet. */
  #isShut = false
  #ensuring: Promise<void> | undefined
  readonly #contest = new Contest()
  /** The last listing of a table that has been made anew since, or is about to be. */
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

  /** Settles when nothing is left to see to; undefined where nothing is. */
  get ensuring(): Promise<void> | undefined {
    return this.#ensuring
  }

  /** Sees to it that the table stands; what comes meanwhile is seen to afterwards. */
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
        this.#failed('install', error)
        this.#news ??= news
        await this.#clock.pause(retry, this.#signal)
        retry = Math.min(2 * retry, LONGEST_RETRY)
      }
    }
    // Not a moment later: news between would be nobody's.
    this.#ensuring = undefined
    this.late.done()
  }

  /**
   * Shuts the doors of a table that is gone, without what is loaded ahead: that waits until all
   * that was used is known.
   */
  async #shut(news: News): Promise<void> {
    // What is listed from now on may be another table.
    this.#basis ??= this.#looks.listed
    const state = this.#state()
    this.#generation += 1
    try {
      if (!(await this.#table.putBack(state))) return
      this.#isShut = true
      this.late.made()
      // It is looked at, and loaded, as a table that stands.
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
    // What is not in this state may have been used in the table before.
    const isStale = () => generation !== this.#generation
    const outcome = await this.#table.ensure(state, { isCertain, isDue, isStale })
    if (isStale() && outcome !== 'made') {
      this.look({ isDue })
      return
    }
    // What made it may have listed a table that was gone before anybody knew.
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
   * Whether all that was used by now is known. Where nothing is loaded, that makes no difference.
   */
  async #settle(patience: number): Promise<boolean> {
    if (this.#table.refillEvery === undefined) return true
    const isSettled = await this.#settled(patience)
    // The records are taken as soon as they are asked for.
    await immediate()
    return isSettled && this.lost < (this.#basis ?? this.#looks.listed)
  }
}
