// The facts about doors and knocks that a table has beside its rules, so that it can be read
// without its spec: types, and the words for a door. Pure.
import type { Hook, ValidSpec } from '../../spec/model/model.js'
import type { KnockPort, Prefix } from '../../spec/model/packet-model.js'
import type { Attempt } from './names.js'

/** A hook, and the interfaces whose packets are judged there. */
type Place = Pick<ValidSpec, 'hook' | 'interfaces'>

/** What a table says of a door. */
export interface DoorSummary {
  readonly name: string
  readonly services: readonly string[]
  /** The hook and the interfaces where its packets come in; absent: wherever the table judges. */
  readonly place?: Place
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
  /**
   * By user, from when on no token of that user opens, in seconds since 1970. Absent if no user has
   * an end.
   */
  readonly until?: Readonly<Record<string, number>>
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

/** Writes each interface with the hook; empty if there is no place. */
export const formatPlace = (place: Place | undefined): string[] =>
  (place?.interfaces ?? []).map((name) => `${name} ${place?.hook}`)

const HOOKS: readonly string[] = ['input', 'forward', 'prerouting', 'ingress'] satisfies Hook[]
const INTERFACE = /^[A-Za-z0-9_.@-]{1,15}\*?$/

/** Adds these words to a place; undefined if they are wrong, or have another hook. */
export function joinPlace(
  place: Place | undefined,
  [name = '', hook = '', ...more]: readonly string[],
): Place | undefined {
  const isRight = INTERFACE.test(name) && HOOKS.includes(hook) && more.length === 0
  if (!isRight || (place?.hook ?? hook) !== hook) return undefined
  return { hook: hook as Hook, interfaces: [...(place?.interfaces ?? []), name] }
}

/** The end of a user's line, if the user has an end. */
export const formatEnd = (user: string, until: Readonly<Record<string, number>> = {}): string =>
  Object.hasOwn(until, user) ? ` ${until[user]}` : ''

/** As the schema of specs has it. */
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,63}$/

/** Whether words are an attempt, a user, and perhaps the user's end. */
export const isUser = ([_, user = '', until = '0', ...more]: readonly string[]): boolean =>
  USER.test(user) && NUMBER.test(until) && more.length === 0

/**
 * Adds a user to a knock.
 *
 * @param until - empty if the user has no end.
 */
export function withUser(knock: KnockSummary, user: string, until: string): KnockSummary {
  const users = [...(knock.users ?? []), user]
  if (until === '') return { ...knock, users }
  return { ...knock, users, until: { ...knock.until, [user]: Number(until) } }
}
