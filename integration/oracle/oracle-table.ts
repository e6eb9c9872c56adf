// A valid spec → empty records for each of its doors and knocks. Pure.
import type { ValidDoor, ValidKnock, ValidSpec, ValidToken } from '../../lib/spec/model/model.js'
import type { Step } from '../../lib/spec/model/packet-model.js'
import type { Sequence } from './oracle-attempts.js'
import { type Door, doorOf, type Knocked } from './oracle-door.js'
import { OracleEvents } from './oracle-events.js'
import { Guard, PAUSE } from './oracle-guard.js'
import { longest, type Paced } from './oracle-paced.js'
import { rotatedSteps, type Secrets } from './oracle-secrets.js'

export interface Tokens extends Knocked {
  readonly kind: 'token'
  readonly knock: ValidToken
}

/** The records of one knock of one door. */
export type Attempt = Sequence | Paced | Tokens

export interface Table {
  readonly doors: readonly Door[]
  /** In the order of the doors and of their knocks; a door's closing knocks are its last. */
  readonly attempts: readonly Attempt[]
  readonly guard: Guard
  readonly events: OracleEvents
}

export function tableOf(spec: ValidSpec, secrets: Secrets): Table {
  const events = new OracleEvents()
  const doors = spec.doors.map((door) => doorOf(door, events))
  const knocks = spec.doors.flatMap(({ knocks, closes }) => [...knocks, ...closes])
  const guard = new Guard(spec.guard, Math.max(PAUSE, ...knocks.map(lasts)), events)
  const attempts = doors.flatMap((door) =>
    knocksOf(door.spec).map(({ id, knock }) => attemptOf({ door, guard, id }, knock, secrets)),
  )
  return { doors, attempts, guard, events }
}

function lasts(knock: ValidKnock): number {
  if (knock.type === 'token') return 0
  if (knock.type === 'rate' || knock.type === 'rhythm') return longest(knock)
  const steps = knock.type === 'sequence' ? knock.steps.length : knock.length
  return Math.min(knock.timeout ?? Number.POSITIVE_INFINITY, (steps - 1) * knock.stepTimeout)
}

function knocksOf({ knocks, closes }: ValidDoor): { id: string; knock: ValidKnock }[] {
  const named = (word: string, some: readonly ValidKnock[]) =>
    some.map((knock, index) => ({ id: index ? `${word}${index + 1}` : word, knock }))
  return [...named('open', knocks), ...named('close', closes)]
}

function attemptOf(place: Omit<Knocked, 'type'>, knock: ValidKnock, secrets: Secrets): Attempt {
  const once = knock.type === 'sequence' && knock.once !== undefined ? { once: knock.once } : {}
  const base = { ...place, type: 'once' in once ? 'one-time' : knock.type }
  if (knock.type === 'token') return { ...base, kind: 'token', knock }
  if (knock.type === 'rate' || knock.type === 'rhythm') {
    const ports = knock.type === 'rate' ? [knock.port] : knock.ports
    const records = { sources: new Map(), armed: new Map(), penalties: new Map() }
    return { ...base, kind: 'paced', knock, ports, ...records }
  }
  const { stepTimeout, timeout = Number.POSITIVE_INFINITY, reset } = knock
  const times = { stepTimeout, timeout, reset }
  const stepsAt =
    knock.type === 'sequence'
      ? () => knock.steps
      : outsideLastSecond(
          remember((at) => rotatedSteps(secrets, base.door.spec.name, knock, at), knock.every),
          knock.every,
        )
  const rotates = knock.type === 'rotation'
  return { ...base, kind: 'sequence', stepsAt, rotates, ...times, ...once, sources: new Map() }
}

/** A port to which no packet goes. */
const NO_PORT = -1

/** Wraps the steps of a rotation: in the last second of a period no packet fits them. */
const outsideLastSecond =
  (stepsAt: (at: number) => readonly Step[], every: number) =>
  (at: number): readonly Step[] => {
    const steps = stepsAt(at)
    return at % every > every - 1 ? steps.map((step) => ({ ...step, port: NO_PORT })) : steps
  }

/** Wraps a function of time so that it is called once for each period. */
function remember<T>(make: (at: number) => T, every: number): (at: number) => T {
  let last: { period: number; made: T } | undefined
  return (at) => {
    const period = Math.floor(at / every)
    if (last?.period !== period) last = { period, made: make(at) }
    return last.made
  }
}
