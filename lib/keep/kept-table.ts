// What a keeper needs of its table. Types only.
import type { KnockState } from '../spec/generated/state-types.js'
import type { ClosedEvent } from '../view/event.js'
import type { TableRecord } from '../view/known-state.js'

/** The records of a table. */
export interface TableRecords extends AsyncIterable<TableRecord> {
  /** Settles when nothing is missed any more; rejects as the iteration does. */
  readonly ready: Promise<void>
  /** Whether packets are not reported. */
  readonly isDeaf: boolean
  /**
   * Whether everything that packets have done is among the records, within `patience` milliseconds.
   */
  settled(patience: number): Promise<boolean>
  /** Ends it; settles when all processes and sockets are released. */
  return?(value: undefined): Promise<unknown>
}

interface EnsureHow {
  /** Whether the state has everything that was used. */
  readonly isCertain: boolean
  /** Whether to load ahead again what is loaded already. */
  readonly isDue: boolean
  /**
   * Whether the table was put back meanwhile. Then the state may lack what was used, and nothing is
   * done.
   */
  readonly isStale: () => boolean
}

/** What a listing of the table found. */
export interface Held {
  readonly state: KnockState
  /** Whether its base chains and rules are as in the spec. */
  readonly isWhole: boolean
}

/** The calls on a table that its keeper makes. */
export interface KeptTable {
  /**
   * Makes a table that is gone, with this state, as fast as possible: its doors are closed, and
   * nothing is loaded ahead yet.
   *
   * @returns false if the table exists.
   */
  putBack(state: KnockState): Promise<boolean>
  /**
   * Makes the table as in the spec; a new one with this state. Loads tokens and rotating sequences
   * ahead, but not into a new table: the next call does that.
   */
  ensure(state: KnockState, how: EnsureHow): Promise<'unchanged' | 'made' | 'changed'>
  /** Seconds between two refills; undefined if nothing is loaded ahead. */
  readonly refillEvery: number | undefined
  /** Adds to the table what it lacks of a state. */
  restore(state: KnockState): Promise<void>
  /** Deletes a grant if it exists. */
  close(grant: ClosedEvent): Promise<unknown>
  /** Lists what the table holds, and whether its chains are as in the spec. */
  save(): Promise<Held>
  /** Yields the table's records until the signal is aborted. */
  records(options: { readonly signal: AbortSignal }): TableRecords
  /** Writes a state to a file that survives a reboot; undefined without such a file. */
  readonly write: ((state: KnockState) => Promise<void>) | undefined
}
