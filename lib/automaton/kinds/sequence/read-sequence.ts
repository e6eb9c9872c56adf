// Sequences, as the user wrote them (steps, one-time or rotating) → their valid forms. Pure.

import { identifySteps } from '../../../spec/derive/derive.js'
import type {
  ClosingSequence,
  RotateSpec,
  SequenceKnock,
  Step as SpecStep,
} from '../../../spec/generated/knock-types.js'
import type { Findings } from '../../../spec/model/findings.js'
import type { ValidRotation, ValidSequence } from '../../../spec/model/model.js'
import { readDuration, readStep, readValue } from '../../../spec/model/read-values.js'
import { readRotationValues } from './rotation-values.js'

/** The default for `stepTimeout`, in seconds. */
const DEFAULT_STEP_TIMEOUT = 5

/** The default for `horizon`: a week. */
const DEFAULT_HORIZON = 7 * 86400

/** The most sequences of one rotation that are loaded at a time. */
export const MOST_SEQUENCES = 1000

const FORMS = ['steps', 'oneTime', 'rotate'] as const

/** Reads a sequence. A list of one-time sequences becomes one valid sequence each. */
export function readSequences(
  knock: SequenceKnock,
  origin: string,
  findings: Findings,
): (ValidSequence | ValidRotation)[] {
  const [form, ...others] = FORMS.filter((form) => knock[form] !== undefined)
  if (!form) {
    findings.add(`${origin}/steps`, 'a list of 1 to 32 steps, or oneTime or rotate in its place')
  }
  for (const other of others) {
    const reason = 'a sequence has only one of steps, oneTime and rotate'
    findings.conflict(`${origin}/${other}`, `${origin}/${form}`, reason)
  }
  if (form === 'rotate' && knock.rotate) return readRotation(knock, knock.rotate, origin, findings)
  if (form === 'oneTime') return readOneTime(knock, origin, findings)
  return [readSequence(knock, origin, knock.steps, '/steps', findings)]
}

/** Reads a sequence whose steps are at a given place within the knock. */
export function readSequence(
  knock: SequenceKnock | ClosingSequence,
  origin: string,
  steps: readonly SpecStep[] | undefined,
  place: string,
  findings: Findings,
): ValidSequence {
  const stepsOrigin = `${origin}${place}`
  const known = readValue(steps, stepsOrigin, [], findings)
  return {
    type: 'sequence',
    origin,
    stepsOrigin,
    steps: known.map((step, index) => readStep(step, `${stepsOrigin}/${index}`, findings)),
    ...readTimes(knock, origin, findings),
  }
}

function readTimes(knock: SequenceKnock | ClosingSequence, origin: string, findings: Findings) {
  const read = (key: 'stepTimeout' | 'timeout') => {
    const value = knock[key]
    return value === undefined ? undefined : readDuration(value, `${origin}/${key}`, findings)
  }
  const timeout = read('timeout')
  return {
    stepTimeout: read('stepTimeout') ?? timeout ?? DEFAULT_STEP_TIMEOUT,
    ...(timeout !== undefined && { timeout }),
    reset: readValue(knock.reset, `${origin}/reset`, 'any' as const, findings),
  }
}

function readOneTime(knock: SequenceKnock, origin: string, findings: Findings): ValidSequence[] {
  const lists = readValue(knock.oneTime, `${origin}/oneTime`, [], findings)
  return lists.map((steps, index) => {
    const sequence = readSequence(knock, origin, steps, `/oneTime/${index}`, findings)
    return findings.isCleanBelow(sequence.stepsOrigin)
      ? { ...sequence, once: identifySteps(sequence.steps) }
      : sequence
  })
}

function readRotation(
  knock: SequenceKnock,
  rotate: RotateSpec,
  origin: string,
  findings: Findings,
): ValidRotation[] {
  const path = `${origin}/rotate`
  if (!findings.isClean(path)) return []
  const values = readRotationValues(rotate, path, findings)
  return [
    {
      type: 'rotation',
      origin,
      secretFile: readValue(rotate.secretFile, `${path}/secretFile`, '', findings),
      ...values,
      horizon: readHorizon(rotate, `${path}/horizon`, values.every, findings),
      ...readTimes(knock, origin, findings),
    },
  ]
}

function readHorizon(
  { horizon }: RotateSpec,
  path: string,
  every: number,
  findings: Findings,
): number {
  // A week of the shortest periods would exceed the limit of loaded sequences.
  if (horizon === undefined) return Math.min(DEFAULT_HORIZON, (MOST_SEQUENCES - 2) * every)
  return readDuration(horizon, path, findings)
}
