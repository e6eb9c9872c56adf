// Listings of a table that is waiting to be confirmed → the time left, and what must be reported.
// Pure.
import type { PendingConfirm } from '../view/contents.js'

/** The table is waiting to be confirmed. Without that its doors fall open to everyone. */
export interface UnconfirmedEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'unconfirmed'
  /** Whole seconds left. */
  readonly expiresIn: number
}

/**
 * Milliseconds by which two listings of the same end may differ: they have whole seconds and come
 * late.
 */
const COARSE = 5000

const FALLEN =
  'nobody confirmed the table in time: ITS DOORS ARE OPEN TO EVERYONE, as the ' +
  'install with --confirm asked for; ' +
  'install the spec again (with --confirm TIME, then knocklib confirm; or ' +
  'without, then they are shut at once)'

/** The confirmation that a kept table waits for. It survives a flush. */
export class KeptConfirm {
  readonly #emit: (expiresIn: number) => void
  readonly #fail: (message: string) => void
  /** The end, in milliseconds of the monotonic clock; it may be in the past. */
  #ends: number | undefined
  #hasFallen = false

  /**
   * `emit` and `fail` are called once for each confirmation, and each time the table is put back
   * with it.
   *
   * @param ends - the end if it is known already, in milliseconds of the monotonic clock.
   */
  constructor(emit: (expiresIn: number) => void, fail: (message: string) => void, ends?: number) {
    this.#ends = ends
    this.#emit = emit
    this.#fail = fail
  }

  /** Takes what a listing says; `now` in milliseconds of the monotonic clock. */
  read(confirm: PendingConfirm | undefined, now: number): void {
    const [ends, hasFallen] = [this.#ends, this.#hasFallen]
    this.#hasFallen = confirm?.fallenOpen === true
    if (!confirm) {
      this.#ends = undefined
    } else if (confirm.fallenOpen) {
      this.#ends = Math.min(ends ?? now, now)
      if (!hasFallen) this.#fail(FALLEN)
    } else {
      this.#ends = now + confirm.expiresIn * 1000
      const isAnother = ends === undefined || hasFallen || Math.abs(this.#ends - ends) > COARSE
      if (isAnother) this.#emit(confirm.expiresIn)
    }
  }

  /** Reports again after the table was put back: otherwise it could be taken for confirmed. */
  putBack(now: number): void {
    const left = this.left(now)
    if (left === undefined) return
    if (left > 0) this.#emit(left)
    else this.#fail(FALLEN)
  }

  /**
   * Returns the whole seconds left, 0 if it has fallen open; undefined if it is not waiting to be
   * confirmed.
   */
  left(now: number): number | undefined {
    if (this.#ends === undefined) return undefined
    return Math.max(0, Math.round((this.#ends - now) / 1000))
  }
}
