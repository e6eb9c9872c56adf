// The facts about doors and knocks that a table has beside its rules, so that it can be read
// without its spec: types, and the words for a door. Pure.
import type { KnockPort, Prefix } from '../../spec/model/model.js'
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
  /** The block that a grant is for. Absent: the address. */
  readonly prefix?: Prefix
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

/** Writes the parts of a door that are single words. */
export const formatDoor = ({
  grantTimeout,
  connections = 0,
  scope,
  established,
}: DoorSummary): string => `${grantTimeout} ${connections} ${scope} ${established}`

const NUMBER = /^\d{1,10}$/

/** Reads these words; undefined if no door can have them. */
export function parseDoor(name: string, words: string[]): DoorSummary | undefined {
  const [seconds = '', connections = '', scope, established, ...more] = words
  if (!NUMBER.test(seconds) || !NUMBER.test(connections) || more.length > 0) return undefined
  if (scope !== 'source' && scope !== 'everyone') return undefined
  if (established !== 'keep' && established !== 'cut') return undefined
  return {
    name,
    services: [],
    knocks: [],
    grantTimeout: Number(seconds),
    connections: Number(connections) || undefined,
    scope,
    established,
  }
}
