// Known grants and their ends → a call when one has expired. Asks the table when a grant is due.
import type { Clock } from '../clock/clock.js'
import { SoonestFirst } from './soonest-first.js'

/** A grant and its end as far as known, in milliseconds of the monotonic clock. */
export interface DueGrant {
  readonly door: string
  readonly source: string
  readonly due: number
}

type Place = Pick<DueGrant, 'door' | 'source'>

interface ClockOptions {
  /** Milliseconds that a grant has left; undefined: it is gone. */
  find(place: Place): Promise<number | undefined>
  /** Lists all grants. */
  list(): Promise<readonly DueGrant[]>
  expired(place: Place): void
  readonly clock: Pick<Clock, 'now' | 'after'>
}

/** Milliseconds: the kernel's timers are no finer. */
const MARGIN = 20
/** Milliseconds: a listing has whole seconds, so nearly one more may be left. */
const AGAIN = 250
/** Milliseconds after a question without an answer. */
const LATER = 1000
/** If more grants are due than this, one listing asks for all. */
const ONE_BY_ONE = 16
/**
 * Outdated entries stay in the order until their turn, or until there are more of them than this
 * and twice the rest.
 */
const STALE = 64
const LONGEST = 2 ** 31 - 1

const keyOf = ({ door, source }: Place): string => `${door} ${source}`

/**
 * Finds the grants that expire. The kernel does not announce that, so each grant is asked for when
 * it is due. If packets or calls have renewed it, waits for its new end.
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

  /** Forgets a grant that was deleted and reported. */
  remove(place: Place): void {
    this.#grants.delete(keyOf(place))
  }

  /**
   * Takes the grants of a listing. A grant that it lacks has probably expired: it is asked for when
   * it is due.
   */
  correct(grants: readonly DueGrant[]): void {
    for (const grant of grants) this.set(grant)
  }

  /** Forgets all grants: they were deleted and reported. */
  clear(): void {
    this.#grants.clear()
    this.#order.clear()
  }

  end(): void {
    this.#hasEnded = true
    this.#callOff()
  }

  /** Sets the timer for the next grant that is due. */
  #wind(): void {
    if (this.#isAsking || this.#hasEnded) return
    this.#callOff()
    const next = this.#soonest()
    if (!next) return
    const wait = next.due + MARGIN - this.#clock.now()
    // Only a waiting iteration keeps the process alive.
    this.#callOff = this.#clock.after(Math.min(Math.max(wait, 0), LONGEST), () => void this.#ask())
  }

  /** Drops outdated entries. */
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
      // The table or nft is missing; the watcher reports what becomes of the table.
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
    // The grant was renewed or deleted during the question; that is newer than the answer.
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
