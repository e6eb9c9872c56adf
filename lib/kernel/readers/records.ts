// The records that reader processes write, one line of JSON each. Types only.
import type { TableChange } from './changes.js'

/** The kernel logged a packet. */
export interface LogRecord {
  /** The log message's prefix. */
  readonly logged: string
  /** Milliseconds since 1970, when it was read. */
  readonly at: number
  readonly source?: string
  readonly service?: string
  /** Of a packet that was let in by its token: those 16 bytes, in hexadecimal. They are used up. */
  readonly token?: string
}

/** A transaction changed a table. */
export interface ChangedRecord {
  readonly changed: TableChange
  readonly at: number
}

/** So many records are missing here. */
interface LostRecord {
  readonly lost: number
}

/** So many log messages had a prefix that no table of ours writes. */
export interface ForeignRecord {
  readonly foreign: number
}

/** From now on nothing is missed. */
interface ReadyRecord {
  readonly ready: true
}

/** The reader could not begin, or cannot go on. */
export interface FailedRecord {
  readonly failed: { readonly code: string; readonly reason: string }
}

/** All that the kernel had sent when this number was asked for stands before this line. */
interface SettledRecord {
  readonly settled: number
}

export type ReaderRecord =
  | LogRecord
  | ChangedRecord
  | LostRecord
  | ForeignRecord
  | ReadyRecord
  | FailedRecord
  | SettledRecord
