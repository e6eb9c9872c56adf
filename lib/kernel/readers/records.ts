// The records that reader processes write, one line of JSON each. Types only.
import type { TableChange } from './changes.js'

/** The kernel logged a packet. */
export interface LogRecord {
  /** The log message's prefix. */
  readonly logged: string
  /** When it was read, in milliseconds since 1970. */
  readonly at: number
  readonly source?: string
  readonly service?: string
  /** The token that let the packet in, 16 bytes in hexadecimal. It is used up. */
  readonly token?: string
  /** The packet's mark, which says which knock of a shared door it is. */
  readonly mark?: number
}

/** A transaction changed a table. */
export interface ChangedRecord {
  readonly changed: TableChange
  readonly at: number
}

/** This many records are missing here. */
interface LostRecord {
  readonly lost: number
}

/** This many log messages had a prefix that no knocklib table writes. */
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

/** Everything that the kernel had sent before the question with this number is before this line. */
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
