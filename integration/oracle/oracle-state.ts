// The oracle's records and a time → each source's stage and grants then. Pure.
import { type Sequence, stageOf } from './oracle-attempts.js'
import type { Counters, Door } from './oracle-door.js'
import { countOf, type Paced } from './oracle-paced.js'
import type { Attempt } from './oracle-table.js'

type Numbers = Readonly<Record<string, number>>

/** The states of sources at one door. Sources without a state are left out. */
export interface DoorState {
  /** The seconds left of each source's grant. */
  readonly grants: Numbers
  /** How many knocks each source has done, by attempt. */
  readonly stages: Readonly<Record<string, Numbers>>
  /** For how many seconds each source's next connection is let through, by attempt. */
  readonly armed: Readonly<Record<string, Numbers>>
  /** For how many seconds each penalised source is ignored, by attempt. */
  readonly penalties: Readonly<Record<string, Numbers>>
  /** Used tokens, and digests of used sequences. */
  readonly spent: readonly string[]
  readonly counters: Readonly<Counters>
}

/** The states of sources in the guard. */
export interface GuardState {
  /** The seconds left of each ban. */
  readonly banned: Numbers
  readonly strikes: Numbers
  readonly bans: number
  readonly ignored: number
  /** The number of repeated SYNs to knock ports. */
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

/** Collects what is known of each attempt, without empty results. */
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
