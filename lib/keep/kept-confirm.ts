// Listings of a table that waits to be confirmed → the time left, and what must be reported. Pure.
import type { PendingConfirm } from '../view/contents.js'

/** The table waits to be confirmed. If nobody confirms it in time, it falls open. */
export interface UnconfirmedEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'unconfirmed'
  /** Whole seconds left. */
  readonly expiresIn: number
}

/**
 * Milliseconds by which two listings of the same end can differ: they have whole seconds and come
 * late.
 */
const COARSE = 5000

const FALLEN =
  'nobody confirmed the table in time: ITS DOORS ARE OPEN TO EVERYONE, as the ' +
  'install with --confirm asked for; ' +
  'install the spec again: with --confirm TIME, and then run knocklib confirm; or ' +
  'without --confirm, which shuts the doors at once'

/** Tracks the confirmation that a kept table waits for. A flush does not end the wait. */
export class KeptConfirm {
  readonly #emit: (expiresIn: number) => void
  readonly #fail: (message: string) => void
  /** When the wait ends, in milliseconds of the monotonic clock; undefined: not waiting. */
  #ends: number | undefined
  #hasFallen = false

  /**
   * Calls `emit` or `fail` once for each wait, and again each time the table is put back.
   *
   * @param ends - when a wait that is known already ends, in milliseconds of the monotonic clock.
   */
  constructor(emit: (expiresIn: number) => void, fail: (message: string) => void, ends?: number) {
    this.#ends = ends
    this.#emit = emit
    this.#fail = fail
  }

  /** Takes a listing's confirmation; `now` in milliseconds of the monotonic clock. */
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

  /** Reports again that the table waits, after it was put back. */
  putBack(now: number): void {
    const left = this.left(now)
    if (left === undefined) return
    if (left > 0) this.#emit(left)
    else this.#fail(FALLEN)
  }

  /**
   * Returns the whole seconds left; 0 if the table has fallen open; undefined if it is not waiting.
   */
  left(now: number): number | undefined {
    if (this.#ends === undefined) return undefined
    return Math.max(0, Math.round((this.#ends - now) / 1000))
  }
}
