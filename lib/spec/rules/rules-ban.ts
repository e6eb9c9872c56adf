// Rejects a ban so strict that a correct knock would trigger it. Pure.
import { endsInService, kindOf } from '../../automaton/kinds/kinds.js'
import type { Findings } from '../model/findings.js'
import type { ValidBan, ValidDoor, ValidKnock, ValidSequence } from '../model/model.js'
import type { Step } from '../model/packet-model.js'
import { formatStep, stepsMeet } from '../model/step.js'
import { attemptsOf, type PlacedStep, sequencesOf } from './knock-ports.js'

/**
 * Reports a ban that a correct knock would trigger, through the attempts of other knocks that it
 * begins and then ends.
 */
export function checkBan(
  ban: ValidBan,
  doors: readonly ValidDoor[],
  placed: readonly PlacedStep[],
  findings: Findings,
): void {
  const path = '/guard/ban/after'
  // Placeholders stand in for steps that could not be read.
  if (!findings.isClean(path) || !findings.isCleanBelow('/doors')) return
  if (!havePortsOfTheirOwn(placed, findings)) return
  const byFirst = indexByFirst(doors)
  for (const knock of doors.flatMap(attemptsOf)) {
    const strikes = strikesOf(knock, byFirst, findings)
    if (strikes < ban.after) continue
    findings.add(
      path,
      `more than ${strikes}, since ${knock.origin} causes as many strikes when it is correct`,
    )
    return
  }
}

/**
 * Reports a port of a rate or a rhythm that another knock has too: that knock's packets would be
 * wrong for it. False if there is one.
 */
function havePortsOfTheirOwn(placed: readonly PlacedStep[], findings: Findings): boolean {
  const first = new Map<string, PlacedStep>()
  for (const one of placed) {
    const port = placeOf(one.step)
    const other = first.get(port) ?? one
    first.set(port, other)
    if (other.knock === one.knock || ![other, one].some(isTimed)) continue
    const reason = 'beside a ban these knocks may not share a port'
    findings.conflict(one.path, other.path, reason)
    return false
  }
  return true
}

const isTimed = ({ knock }: PlacedStep): boolean => endsInService(knock)

type ByFirst = ReadonlyMap<string, readonly ValidSequence[]>

/**
 * The sequences that a packet can reset, by their first step. A sequence of one step is complete
 * with it, so nothing can reset it.
 */
function indexByFirst(doors: readonly ValidDoor[]): ByFirst {
  const found = new Map<string, ValidSequence[]>()
  const sequences = doors.flatMap(sequencesOf)
  for (const sequence of sequences) {
    const [first] = sequence.steps
    if (!first || sequence.reset === 'never' || sequence.steps.length === 1) continue
    const place = placeOf(first)
    const others = found.get(place)
    if (others) others.push(sequence)
    else found.set(place, [sequence])
  }
  return found
}

const placeOf = (step: Step): string => (step.port === undefined ? 'icmp' : formatStep(step))

/**
 * Counts the strikes that a correct knock brings to its sender: while it is under way (completing
 * it forgives them), or afterwards, when something ends the attempts that it has begun.
 */
function strikesOf(knock: ValidKnock, byFirst: ByFirst, findings: Findings): number {
  const stages = new Map<ValidSequence, number>()
  let ended = 0
  for (const [packet] of kindOf(knock).stepsOf(knock, findings)) {
    for (const [sequence, stage] of stages) {
      if (!fits(sequence, stage, packet)) {
        stages.delete(sequence)
        ended += 1
      } else if (stage + 1 === sequence.steps.length) stages.delete(sequence)
      else if (stepsMeet(sequence.steps[stage] as Step, packet)) stages.set(sequence, stage + 1)
    }
    for (const sequence of byFirst.get(placeOf(packet)) ?? []) {
      const begins = sequence !== knock && stepsMeet(sequence.steps[0] as Step, packet)
      if (begins && !stages.has(sequence)) stages.set(sequence, 1)
    }
  }
  return Math.max(ended, stages.size)
}

/**
 * Whether a packet does not end an attempt: it advances it, repeats its last step, or starts it
 * over.
 */
function fits({ steps }: ValidSequence, stage: number, packet: Step): boolean {
  return [stage, stage - 1, 0].some((index) => stepsMeet(steps[index] as Step, packet))
}
