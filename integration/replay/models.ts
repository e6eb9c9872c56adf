// A spec and packets → the verdicts of the oracle and the simulator, in one form. Pure.
import { buildAutomaton } from '../../lib/automaton/build.js'
import { loadsOf } from '../../lib/automaton/loads.js'
import type { Packet } from '../../lib/simulate/packet.js'
import { Simulator } from '../../lib/simulate/simulate.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import {
  type DoorState,
  type GuardState,
  Oracle,
  type OracleOptions,
  type Verdict,
} from '../oracle/oracle.js'
import type { OracleEvent } from '../oracle/oracle-events.js'
import { SECRETS } from '../random/arbitrary-knock.js'
import { contentsOfSimulator, guardOfContents, stateOfContents } from './state.js'

export interface Outcome {
  readonly verdicts: readonly Verdict[]
  /** The doors' states at each of the requested times. */
  readonly states: readonly Readonly<Record<string, DoorState>>[]
  /** The guard's state at each of the requested times. */
  readonly guards: readonly GuardState[]
  /** The logged events as text. Events of one packet are in no particular order. */
  readonly logged: readonly string[]
}

/** The oracle or the simulator, with the same calls. */
export interface Model {
  readonly receive: (packet: Packet) => Verdict
  readonly state: (at: number) => Readonly<Record<string, DoorState>>
  readonly guard: (at: number) => GuardState
  readonly logged: () => readonly OracleEvent[]
}

/** Seconds between two loads of tokens. Used tokens must stay used. */
const REFILL = 40

/** Returns a function for each packet's time that calls `load` every `REFILL` seconds. */
function refiller(loaded: number, load: (at: number) => void): (at: number) => void {
  let last = loaded
  return (at) => {
    if (at < last + REFILL) return
    last = at
    load(at)
  }
}

/** The automaton and loads of a spec, made once for all its traces. */
const prepared = new WeakMap<ValidSpec, ReturnType<typeof prepare>>()

function prepare(spec: ValidSpec, loaded: number, shareFrom: number | undefined) {
  // No trace reaches this rate, so every event is logged.
  const log = { group: 5, rate: 1_000_000, deniedRate: 1_000_000 }
  return {
    automaton: buildAutomaton({ ...spec, log }, shareFrom),
    loads: loadsOf(spec, SECRETS, loaded),
    loaded,
    shareFrom,
  }
}

/**
 * Makes a simulator.
 *
 * @param loaded - when tokens and ports were loaded, in seconds since 1970.
 * @param shareFrom - from how many doors on they share sets and rules.
 */
export function simulatorOf(spec: ValidSpec, loaded = 0, shareFrom?: number): Model {
  const known = prepared.get(spec)
  const fits = known?.loaded === loaded && known.shareFrom === shareFrom
  const ready = fits ? known : prepare(spec, loaded, shareFrom)
  prepared.set(spec, ready)
  const { automaton, loads } = ready
  const simulator = new Simulator(automaton)
  simulator.load(loads)
  const refill = refiller(loaded, (at) => simulator.load(loadsOf(spec, SECRETS, at)))
  const contents = (at: number) => contentsOfSimulator(simulator, automaton, at)
  return {
    receive: (packet) => {
      refill(packet.at)
      return simulator.receive(packet)
    },
    state: (at) => stateOfContents(spec, contents(at)),
    guard: (at) => guardOfContents(spec, contents(at)),
    logged: () => simulator.logged(),
  }
}

export function oracleOf(
  spec: ValidSpec,
  options: OracleOptions = {},
): Model & Pick<Oracle, 'made' | 'redirected'> {
  const oracle = new Oracle(spec, { secrets: SECRETS, ...options })
  const refill = refiller(options.loaded ?? 0, (at) => oracle.load(at))
  return {
    receive: (packet) => {
      refill(packet.at)
      return oracle.receive(packet)
    },
    state: (at) => oracle.state(at),
    guard: (at) => oracle.guardState(at),
    logged: () => oracle.events(),
    made: () => oracle.made(),
    redirected: () => oracle.redirected(),
  }
}

/** Gives packets to the oracle or the simulator, and asks its state at some times, in order. */
export function runModel(
  model: Model,
  packets: readonly Packet[],
  times: readonly number[],
): Outcome {
  const verdicts: Verdict[] = []
  const states: Outcome['states'][number][] = []
  const guards: GuardState[] = []
  let received = 0
  const receiveUntil = (end: number) => {
    for (let next = packets[received]; next && next.at <= end; next = packets[received]) {
      verdicts.push(model.receive(next))
      received += 1
    }
  }
  for (const at of times) {
    receiveUntil(at)
    states.push(model.state(at))
    guards.push(model.guard(at))
  }
  receiveUntil(Number.POSITIVE_INFINITY)
  return { verdicts, states, guards, logged: model.logged().map(canonical).sort() }
}

/**
 * Writes a value as text that depends only on its contents: keys sorted, times to the millisecond.
 */
export function canonical(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000)
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join()}}`
}

export const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)
