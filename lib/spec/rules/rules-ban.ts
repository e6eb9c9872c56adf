// What a knock that is right resets on its way → whether the ban would take its sender for a
// guesser. Pure.
import { endsInService, kindOf } from '../../automaton/kinds/kinds.js'
import type { Findings } from '../model/findings.js'
import type { Step, ValidBan, ValidDoor, ValidKnock, ValidSequence } from '../model/model.js'
import { formatStep, stepsMeet } from '../model/step.js'
import { attemptsOf, type PlacedStep, sequencesOf } from './knock-ports.js'

/**
 * Reports a ban so strict that a knock which is right can bring it about, by the attempts that it
 * begins and ends.
 */
export function checkBan(
  ban: ValidBan,
  doors: readonly ValidDoor[],
  placed: readonly PlacedStep[],
  findings: Findings,
): void {
  const path = '/guard/ban/after'
  // What could not be read has other steps in its place.
  if (!findings.isClean(path) || !findings.isCleanBelow('/doors')) return
  if (!havePortsOfTheirOwn(placed, findings)) return
  const byFirst = indexByFirst(doors)
  for (const knock of doors.flatMap(attemptsOf)) {
    const strikes = strikesOf(knock, byFirst, findings)
    if (strikes < ban.after) continue
    findings.add(
      path,
      `more than ${strikes}: ${knock.origin}, done right, begins as many other ` +
        'attempts that end wrong',
    )
    return
  }
}

/**
 * To a rate or a rhythm each packet more is one too many, also where it is right for another knock.
 */
function havePortsOfTheirOwn(placed: readonly PlacedStep[], findings: Findings): boolean {
  const first = new Map<string, PlacedStep>()
  for (const one of placed) {
    const port = placeOf(one.step)
    const other = first.get(port) ?? one
    first.set(port, other)
    if (other.knock === one.knock || ![other, one].some(isTimed)) continue
    findings.add(one.path, `a port of its own beside a ban, ${other.path} has this one`)
    return false
  }
  return true
}

const isTimed = ({ knock }: PlacedStep): boolean => endsInService(knock)

type ByFirst = ReadonlyMap<string, readonly ValidSequence[]>

/**
 * The sequences that a packet can reset, by where they begin. What is complete with its first step
 * has nothing to reset.
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
 * How many strikes a knock brings to who does it right: with its own packets until it is complete,
 * which forgives them, or afterwards, when something else ends what it has left begun.
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
