// What is said of doors and knocks beside the rules: so that a table can be read back without the
// spec. Types alone.
import type { Attempt } from './names.js'

/** What a table says of a door, so that it can be read back without the spec. */
export interface DoorSummary {
  readonly name: string
  readonly services: readonly string[]
  /** Each that opens it, and how many packets it takes until the source is let in. */
  readonly knocks: readonly KnockSummary[]
  /** Seconds that a grant lasts. */
  readonly grantTimeout: number
  readonly connections: number | undefined
  readonly scope: 'source' | 'everyone'
  readonly established: 'keep' | 'cut'
}

interface KnockSummary {
  readonly attempt: Attempt
  readonly steps: number
  /** Of tokens: the users' names, in the order of their sets. */
  readonly users?: readonly string[]
}

/** One knock of one door as it judges packets. */
export interface AttemptSummary {
  readonly door: string
  readonly attempt: Attempt
  /** The same where an attempt that is under way can be carried on. */
  readonly meaning: unknown
}
