// The oracle's records and a time → each source's stage and grants then. Pure.
import { type Sequence, stageOf } from './oracle-attempts.js'
import type { Counters, Door } from './oracle-door.js'
import { countOf, type Paced } from './oracle-paced.js'
import type { Attempt } from './oracle-table.js'

type Numbers = Readonly<Record<string, number>>

/** Who is where with one door; sources that are nowhere are left out. */
export interface DoorState {
  /** Seconds that each source's grant still lives. */
  readonly grants: Numbers
  /** By attempt, how many knocks each source has done. */
  readonly stages: Readonly<Record<string, Numbers>>
  /** By attempt, for how many seconds each source's next connection is let through. */
  readonly armed: Readonly<Record<string, Numbers>>
  /** By attempt, for how many seconds each source is ignored that was too fast. */
  readonly penalties: Readonly<Record<string, Numbers>>
  /** Tokens and digests of sequences that will not be taken again. */
  readonly spent: readonly string[]
  readonly counters: Readonly<Counters>
}

/** Who is where with the table as a whole. */
export interface GuardState {
  /** Seconds that each ban still lasts. */
  readonly banned: Numbers
  readonly strikes: Numbers
  readonly bans: number
  readonly ignored: number
  /** SYNs to knock ports that had come before. */
  readonly repeated: number
}

export function stateOfDoor(door: Door, attempts: readonly Attempt[], at: number): DoorState {
  const sequences = attempts.filter((attempt) => attempt.kind === 'sequence')
  const paced = attempts.filter((attempt) => attempt.kind === 'paced')
  const grants = new Map([...door.grants].map(([source, { until }]) => [source, until]))
  return {
    grants: leftOf(grants, at),
    stages: byId([...sequences, ...paced], (attempt) => stagesOf(attempt, at)),
    armed: byId(paced, ({ armed }) => leftOf(armed, at)),
    penalties: byId(paced, ({ penalties }) => leftOf(penalties, at)),
    spent: [...door.spent.keys()].sort(),
    counters: { ...door.counters },
  }
}

/** What there is of each attempt of which there is something. */
function byId<T extends Attempt>(
  attempts: readonly T[],
  read: (attempt: T) => Numbers,
): Record<string, Numbers> {
  const entries = attempts.map((attempt) => [attempt.id, read(attempt)] as const)
  return Object.fromEntries(entries.filter(([, numbers]) => Object.keys(numbers).length > 0))
}

const stagesOf = (attempt: Sequence | Paced, at: number): Numbers =>
  positive([...attempt.sources.keys()], (source) =>
    attempt.kind === 'sequence' ? stageOf(attempt, source, at) : countOf(attempt, source, at),
  )

const leftOf = (ends: ReadonlyMap<string, number>, at: number): Numbers =>
  positive([...ends.keys()], (source) => (ends.get(source) as number) - at)

const positive = (sources: readonly string[], read: (source: string) => number): Numbers =>
  Object.fromEntries(
    sources.map((source) => [source, read(source)] as const).filter(([, value]) => value > 0),
  )
