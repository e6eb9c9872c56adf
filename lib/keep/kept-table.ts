// What a keeper asks of its table, and what it hears of it. Types alone.
import type { KnockState } from '../spec/generated/state-types.js'
import type { ClosedEvent } from '../view/event.js'
import type { TableRecord } from '../view/known-state.js'

/** The news of a table. */
export interface TableRecords extends AsyncIterable<TableRecord> {
  /** Settles when all news that can come have come; rejects as the iteration does. */
  readonly ready: Promise<void>
  /** Whether what packets do is not reported. */
  readonly isDeaf: boolean
  /** Whether all that packets did by now is among the records, within so many milliseconds. */
  settled(patience: number): Promise<boolean>
  /** Ends it; settles when all is given back. */
  return?(value: undefined): Promise<unknown>
}

interface EnsureHow {
  /** Whether all that was used is in the state. */
  readonly isCertain: boolean
  /** Whether what is loaded already is loaded anew. */
  readonly isDue: boolean
  /**
   * Whether the table was put back meanwhile, so that what was used is not known any more: then
   * nothing is done.
   */
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
   * Makes a table that is gone with this state, as fast as can be: its doors are shut, and nothing
   * is loaded ahead yet.
   *
   * @returns false where a table is there.
   */
  putBack(state: KnockState): Promise<boolean>
  /**
   * Makes the table stand as the spec has it, with this state where it is made anew; loads tokens
   * and rotating sequences ahead from now, but not into a table that it makes: the next call does
   * that.
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
  /** The news of the table, until the signal is aborted. */
  records(options: { readonly signal: AbortSignal }): TableRecords
  /**
   * Writes a state where it outlives the machine's next start; undefined where nobody asked for
   * that.
   */
  readonly write: ((state: KnockState) => Promise<void>) | undefined
}
