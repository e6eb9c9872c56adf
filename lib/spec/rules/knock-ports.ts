// A spec → all steps and knock ports, each with its place in the document. Pure.
import { kindOf } from '../../automaton/kinds/kinds.js'
import type { Findings } from '../model/findings.js'
import type {
  ReadSpec,
  ValidDoor,
  ValidKnock,
  ValidRotation,
  ValidSequence,
} from '../model/model.js'
import type { Step } from '../model/packet-model.js'
import { formatStep } from '../model/step.js'

export interface PlacedStep {
  readonly step: Step
  /** JSON Pointer of the step or the port. */
  readonly path: string
  readonly knock: ValidKnock
  readonly door: ValidDoor
}

/** All knocks of a door: those that open it, then those that close it. */
export function attemptsOf({ knocks, closes }: ValidDoor): readonly ValidKnock[] {
  return closes.length > 0 ? [...knocks, ...closes] : knocks
}

/** The sequences of a door that have written steps. */
export const sequencesOf = (door: ValidDoor): ValidSequence[] =>
  attemptsOf(door).filter((knock) => knock.type === 'sequence')

/** The sequences of a door whose ports are derived from a secret. */
export const rotationsOf = (door: ValidDoor): ValidRotation[] =>
  door.knocks.filter((knock) => knock.type === 'rotation')

/** Finds every step and knock port of a spec that could be read. */
export function placeSteps({ doors }: ReadSpec, findings: Findings): PlacedStep[] {
  return doors.flatMap((door) =>
    attemptsOf(door).flatMap((knock) =>
      kindOf(knock)
        .stepsOf(knock, findings)
        .filter(([, path]) => findings.isCleanBelow(path))
        .map(([step, path]) => ({ step, path, knock, door })),
    ),
  )
}

/** Keeps the first of all steps that have the same port. */
export function distinctPorts(placed: readonly PlacedStep[]): PlacedStep[] {
  const first = new Map<string, PlacedStep>()
  for (const one of placed) {
    const key = formatStep(one.step)
    if (!first.has(key)) first.set(key, one)
  }
  return [...first.values()]
}
