// The grants that are known and when each runs out → who is let in no longer. Asks the table when
// one is due; its own timer.
import type { Clock } from '../clock/clock.js'
import { SoonestFirst } from './soonest-first.js'

/**
 * A grant, and when it ends as far as is known: milliseconds of the monotonic clock, which nobody
 * sets.
 */
export interface DueGrant {
  readonly door: string
  readonly source: string
  readonly due: number
}

type Place = Pick<DueGrant, 'door' | 'source'>

interface ClockOptions {
  /** Milliseconds that a grant still lasts; undefined: it is gone. */
  find(place: Place): Promise<number | undefined>
  /** All grants. */
  list(): Promise<readonly DueGrant[]>
  expired(place: Place): void
  readonly clock: Pick<Clock, 'now' | 'after'>
}

/** Milliseconds: the kernel's clock ticks no finer. */
const MARGIN = 20
/** Where seconds are all that is known of what remains, it may be nearly one more. */
const AGAIN = 250
/** After a question that had no answer. */
const LATER = 1000
/** More than that are asked for by one listing. */
const ONE_BY_ONE = 16
/**
 * What has been set anew since stays in the order until it is its turn, or there is more of that
 * than of the rest.
 */
const STALE = 64
const LONGEST = 2 ** 31 - 1

const keyOf = ({ door, source }: Place): string => `${door} ${source}`

/**
 * The kernel never announces that a grant expires. So each is asked for when it is due: one that
 * packets or calls have renewed meanwhile is waited for again.
 */
export class Clocks {
  readonly #options: ClockOptions
  readonly #grants = new Map<string, DueGrant>()
  readonly #order = new SoonestFirst<DueGrant>(({ due }) => due)
  readonly #clock: ClockOptions['clock']
  #callOff = () => {}
  #isAsking = false
  #hasEnded = false

  constructor(options: ClockOptions) {
    this.#options = options
    this.#clock = options.clock
  }

  set(grant: DueGrant): void {
    this.#put(grant)
    this.#wind()
  }

  #put(grant: DueGrant): void {
    this.#grants.set(keyOf(grant), grant)
    if (this.#order.size > STALE + 2 * this.#grants.size) {
      this.#order.clear()
      for (const each of this.#grants.values()) this.#order.add(each)
    } else {
      this.#order.add(grant)
    }
  }

  /** It has been taken away, and who listens knows. */
  remove(place: Place): void {
    this.#grants.delete(keyOf(place))
  }

  /**
   * What a listing has. Grants that it lacks have most likely run out: they are asked for when that
   * is due.
   */
  correct(grants: readonly DueGrant[]): void {
    for (const grant of grants) this.set(grant)
  }

  /** All are taken away, and who listens knows. */
  clear(): void {
    this.#grants.clear()
    this.#order.clear()
  }

  end(): void {
    this.#hasEnded = true
    this.#callOff()
  }

  /** Sets the timer for the soonest. */
  #wind(): void {
    if (this.#isAsking || this.#hasEnded) return
    this.#callOff()
    const next = this.#soonest()
    if (!next) return
    const wait = next.due + MARGIN - this.#clock.now()
    // The process is kept alive by who waits for its events.
    this.#callOff = this.#clock.after(Math.min(Math.max(wait, 0), LONGEST), () => void this.#ask())
  }

  /** Leaves out what has been set anew or removed since. */
  #soonest(): DueGrant | undefined {
    for (;;) {
      const next = this.#order.first
      if (!next || this.#grants.get(keyOf(next)) === next) return next
      this.#order.take()
    }
  }

  async #ask(): Promise<void> {
    const due: DueGrant[] = []
    const now = this.#clock.now()
    for (let next = this.#soonest(); next && next.due + MARGIN <= now; next = this.#soonest()) {
      due.push(next)
      this.#order.take()
    }
    this.#isAsking = true
    try {
      await (due.length > ONE_BY_ONE ? this.#askAll(due) : this.#askEach(due))
    } catch {
      // The table is gone, or nft is: others report what becomes of the table.
      const later = this.#clock.now() + LATER
      for (const grant of due) this.#wait(grant, later)
    } finally {
      this.#isAsking = false
    }
    this.#wind()
  }

  async #askEach(due: readonly DueGrant[]): Promise<void> {
    for (const grant of due) this.#judge(grant, await this.#options.find(grant))
  }

  async #askAll(due: readonly DueGrant[]): Promise<void> {
    const listed = new Map((await this.#options.list()).map((grant) => [keyOf(grant), grant]))
    const now = this.#clock.now()
    for (const grant of due) {
      const still = listed.get(keyOf(grant))
      this.#judge(grant, still && still.due - now)
    }
  }

  #judge(grant: DueGrant, remaining: number | undefined): void {
    // It was renewed or taken away while it was asked for: that is newer than the answer.
    if (this.#hasEnded || this.#grants.get(keyOf(grant)) !== grant) return
    if (remaining !== undefined) {
      this.#wait(grant, this.#clock.now() + Math.max(remaining, AGAIN))
      return
    }
    this.#grants.delete(keyOf(grant))
    this.#options.expired(grant)
  }

  #wait(grant: DueGrant, due: number): void {
    if (this.#grants.get(keyOf(grant)) !== grant) return
    this.#put({ ...grant, due })
  }
}
