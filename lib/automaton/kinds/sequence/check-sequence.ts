// Rejects sequences of a door that cannot work or that conflict with each other. Pure.
import type { Findings } from '../../../spec/model/findings.js'
import type { ValidDoor, ValidRotation, ValidSequence } from '../../../spec/model/model.js'
import type { Family, Step } from '../../../spec/model/packet-model.js'
import { areRead } from '../../../spec/model/read-values.js'
import { stepsMeet } from '../../../spec/model/step.js'

export function checkSequences(
  sequences: readonly ValidSequence[],
  door: ValidDoor,
  findings: Findings,
): void {
  for (const sequence of sequences) {
    checkTimes(sequence, findings)
    checkFamilies(sequence, door, findings)
  }
  checkCloses(sequences, door, findings)
  checkOnce(sequences, findings)
}

export function checkTimes(
  { stepTimeout, timeout, origin }: ValidSequence | ValidRotation,
  findings: Findings,
): void {
  const isRead = areRead(origin, ['stepTimeout', 'timeout'], findings)
  if (isRead && timeout !== undefined && stepTimeout > timeout) {
    findings.add(`${origin}/stepTimeout`, `at most timeout, ${timeout} s`)
  }
}

/** The address families over which every step can be sent. */
function familiesOf(steps: readonly Step[]): Family[] {
  return steps.some((step) => step.protocol === 'icmpv6') ? [6] : [4, 6]
}

function checkFamilies(
  { steps, stepsOrigin }: ValidSequence,
  { origin, addresses }: ValidDoor,
  findings: Findings,
): void {
  if (addresses.length === 0) return
  const reachable = familiesOf(steps)
  if (!addresses.some(({ family }) => reachable.includes(family))) {
    const index = steps.findIndex((step) => step.protocol === 'icmpv6')
    const reason = 'icmpv6 cannot reach a door that has only IPv4 addresses'
    findings.conflict(`${stepsOrigin}/${index}`, `${origin}/address`, reason)
  }
}

/** Reports closing sequences that end like an opening one: one packet would open and close. */
function checkCloses(
  sequences: readonly ValidSequence[],
  { closes }: ValidDoor,
  findings: Findings,
): void {
  // Placeholders stand in for steps that could not be read.
  const isRead = ({ stepsOrigin }: ValidSequence) => findings.isCleanBelow(stepsOrigin)
  const opening = sequences.filter((one) => !closes.includes(one) && isRead(one))
  for (const close of closes.filter(isRead)) {
    const alike = opening.find(({ steps }) => endAlike(steps, close.steps))
    if (!alike) continue
    findings.conflict(close.stepsOrigin, alike.stepsOrigin, 'one packet would complete both')
  }
}

function endAlike(a: readonly Step[], b: readonly Step[]): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  const tail = long.slice(long.length - short.length)
  return short.every((step, index) => stepsMeet(step, tail[index] as Step))
}

function checkOnce(sequences: readonly ValidSequence[], findings: Findings): void {
  const first = new Map<string, string>()
  for (const { once, stepsOrigin } of sequences) {
    if (once === undefined) continue
    const earlier = first.get(once)
    if (earlier === undefined) first.set(once, stepsOrigin)
    else findings.conflict(stepsOrigin, earlier, 'both have the same steps')
  }
}
