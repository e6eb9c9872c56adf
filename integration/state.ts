// What sets hold and counters count, of the simulator or of the kernel → who is where with each door. Pure.
import { attemptSet, counterName, grantsSet, stageSet } from '../lib/automaton/names.js'
import type { Simulator } from '../lib/automaton/simulate.js'
import type { ValidDoor, ValidSpec } from '../lib/spec/model.js'
import type { DoorState } from './oracle.js'

/** Reads sets and counters by their names in the automaton. */
export interface Contents {
  /** The sources in a set, with the seconds that each still lives; undefined where there is no such set. */
  readonly members: (set: string) => ReadonlyMap<string, number>
  readonly hasSet: (set: string) => boolean
  readonly counter: (name: string) => number
}

export function stateOfContents(spec: ValidSpec, contents: Contents): Record<string, DoorState> {
  return Object.fromEntries(spec.doors.map((door) => [door.name, doorState(door, contents)]))
}

function doorState(door: ValidDoor, contents: Contents): DoorState {
  const { name } = door
  const stages = (attempt: 'open' | 'close') => {
    const steps = (attempt === 'open' ? door.knock : door.close)?.steps.length ?? 0
    const whole = attemptSet(name, attempt)
    const found: Record<string, number> = {}
    for (let stage = 1; stage < steps; stage += 1) {
      for (const source of contents.members(stageSet(name, attempt, stage)).keys()) {
        // An element may outlive its attempt as a whole, which is over then.
        if (contents.hasSet(whole) && !contents.members(whole).has(source)) continue
        if (source in found) throw new Error(`${source} is in two stages of ${name}`)
        found[source] = stage
      }
    }
    return found
  }
  return {
    grants: Object.fromEntries(contents.members(grantsSet(name))),
    open: stages('open'),
    close: stages('close'),
    counters: {
      knocks: contents.counter(counterName('knocks', name)),
      grants: contents.counter(counterName('grants', name)),
      resets: contents.counter(counterName('resets', name)),
      denied: contents.counter(counterName('denied', name)),
    },
  }
}

export function simulatedState(
  spec: ValidSpec,
  simulator: Simulator,
  sets: ReadonlySet<string>,
  at: number,
): Record<string, DoorState> {
  return stateOfContents(spec, {
    members: (set) =>
      new Map(simulator.members(set, at).map(({ key, expiresIn }) => [key, expiresIn])),
    hasSet: (set) => sets.has(set),
    counter: (name) => simulator.counter(name),
  })
}

/** The doors' states as far as they tell of some sources, without the times that are left. */
export function placesOf(
  state: Readonly<Record<string, DoorState>>,
  sources: readonly string[],
): unknown {
  const own = <T>(values: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(values).filter(([source]) => sources.includes(source)))
  return Object.entries(state).map(([name, { grants, open, close }]) => ({
    name,
    grants: Object.keys(own(grants)).sort(),
    open: own(open),
    close: own(close),
  }))
}
