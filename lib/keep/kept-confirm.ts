// A table that waits to be confirmed, as its keeper sees it: what is left of its time, and what
// must be reported. Pure.
import type { PendingConfirm } from '../view/contents.js'

/** A table waits to be confirmed: where nobody does in time, its doors fall open to everyone. */
export interface UnconfirmedEvent {
  /** ISO 8601, in UTC, with milliseconds. */
  readonly time: string
  readonly event: 'unconfirmed'
  /** Whole seconds that remain. */
  readonly expiresIn: number
}

/**
 * Milliseconds by which an end may differ between two listings: those have whole seconds, and come
 * late.
 */
const COARSE = 5000

const FALLEN =
  'nobody confirmed the table in time: ITS DOORS ARE OPEN TO EVERYONE, as the ' +
  'install with --confirm asked for; ' +
  'install the spec again (with --confirm TIME, then knocklib confirm; or ' +
  'without, then they are shut at once)'

/** It goes on waiting, also where it is flushed meanwhile. */
export class KeptConfirm {
  readonly #emit: (expiresIn: number) => void
  readonly #fail: (message: string) => void
  /** When it ends or has ended, in milliseconds of the monotonic clock. */
  #ends: number | undefined
  #hasFallen = false

  /**
   * Both are called once for each confirmation, and each time the table is put back with it.
   *
   * @param ends - of one that is known already, in milliseconds of the monotonic clock.
   */
  constructor(emit: (expiresIn: number) => void, fail: (message: string) => void, ends?: number) {
    this.#ends = ends
    this.#emit = emit
    this.#fail = fail
  }

  /** Takes what a listing says; the time in milliseconds of the monotonic clock. */
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

  /**
   * The table was put back with what is left: said again, since somebody may take it for confirmed.
   */
  putBack(now: number): void {
    const left = this.left(now)
    if (left === undefined) return
    if (left > 0) this.#emit(left)
    else this.#fail(FALLEN)
  }

  /**
   * Whole seconds that are left, 0 where it has fallen open; undefined where nothing waits to be
   * confirmed.
   */
  left(now: number): number | undefined {
    if (this.#ends === undefined) return undefined
    return Math.max(0, Math.round((this.#ends - now) / 1000))
  }
}
