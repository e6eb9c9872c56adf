// A spec and packets → what the oracle and the simulator say of them, in one form. Pure.
import { buildAutomaton } from '../lib/automaton/build.js'
import { type Packet, Simulator } from '../lib/automaton/simulate.js'
import type { ValidSpec } from '../lib/spec/model.js'
import { type DoorState, Oracle, type OracleOptions, type Verdict } from './oracle.js'
import { simulatedState } from './state.js'

export interface Account {
  readonly verdicts: readonly Verdict[]
  /** Who was where, at each of the times asked for. */
  readonly states: readonly Readonly<Record<string, DoorState>>[]
}

interface Witness {
  readonly receive: (packet: Packet) => Verdict
  readonly state: (at: number) => Readonly<Record<string, DoorState>>
}

export function simulatorOf(spec: ValidSpec): Witness {
  const automaton = buildAutomaton(spec)
  const simulator = new Simulator(automaton)
  const sets = new Set(automaton.sets.map(({ name }) => name))
  return {
    receive: (packet) => simulator.receive(packet),
    state: (at) => simulatedState(spec, simulator, sets, at),
  }
}

export const oracleOf = (spec: ValidSpec, options?: OracleOptions): Witness =>
  new Oracle(spec, options)

/** Lets a witness hear the packets, and asks it at some times. Both are in order. */
export function hear(
  witness: Witness,
  packets: readonly Packet[],
  times: readonly number[],
): Account {
  const verdicts: Verdict[] = []
  const states: Account['states'][number][] = []
  let heard = 0
  const hearUntil = (end: number) => {
    for (let next = packets[heard]; next && next.at <= end; next = packets[heard]) {
      verdicts.push(witness.receive(next))
      heard += 1
    }
  }
  for (const at of times) {
    hearUntil(at)
    states.push(witness.state(at))
  }
  hearUntil(Number.POSITIVE_INFINITY)
  return { verdicts, states }
}

/** Values as text that is the same for the same contents: keys in order, times to the millisecond. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'number') return Math.round(part * 1000) / 1000
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

export const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)
