// The facts about doors and knocks that a table has beside its rules, so that it can be read
// without its spec. Types.
import type { KnockPort } from '../../spec/model/model.js'
import type { Attempt } from './names.js'

/** What a table says of a door. */
export interface DoorSummary {
  readonly name: string
  readonly services: readonly string[]
  /** The knocks that open it, and how many packets each takes until the source is let in. */
  readonly knocks: readonly KnockSummary[]
  /** Seconds that a grant lasts. */
  readonly grantTimeout: number
  readonly connections: number | undefined
  readonly scope: 'source' | 'everyone'
  readonly established: 'keep' | 'cut'
  /** Present if the door shares its sets with others. */
  readonly shared?: SharedSummary
}

/** Where a door is found in the sets and events that it shares. */
export interface SharedSummary {
  readonly service: KnockPort
  /** All its knocks, also those that close it, by the numbers in marks. */
  readonly knocks: readonly {
    readonly attempt: Attempt
    readonly number: number
    readonly steps: number
  }[]
}

interface KnockSummary {
  readonly attempt: Attempt
  readonly steps: number
  /** For tokens: the users' names, in the order of their sets. */
  readonly users?: readonly string[]
}

/** What one knock of one door depends on. */
export interface AttemptSummary {
  readonly door: string
  readonly attempt: Attempt
  /** The same value as long as attempts under way can go on. */
  readonly meaning: unknown
}
