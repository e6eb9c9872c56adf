// Knocks in an order, written down or rotating → their steps, from which sequence-program.ts makes the program. Pure.
import type { Step, ValidRotation, ValidSequence } from '../../spec/model/model.js'
import { isOdd, SYN } from '../../spec/model/step.js'
import type { Match } from '../language/automaton.js'
import { inSet } from '../language/automaton.js'
import { portsSet } from '../language/names.js'
import type { KnockContext, KnockProgram, PacketMatch } from '../language/program.js'
import { SequenceBuilder } from './sequence-program.js'

/** A sequence whose steps are written down. */
export function buildSequence(sequence: ValidSequence, context: KnockContext): KnockProgram {
  const stepAt = (step: number) => sequence.steps[step - 1] as Step
  const groups = new Map<string, number[]>()
  for (const [index, step] of sequence.steps.entries()) {
    const key = step.port === undefined ? 'icmp' : `${step.protocol}/${step.port}`
    groups.set(key, [...(groups.get(key) ?? []), index + 1])
  }
  return new SequenceBuilder(sequence, context, {
    length: sequence.steps.length,
    places: [...groups.values()].map((steps) => {
      const { protocol, port } = stepAt(steps[0] as number)
      const isPort = (protocol === 'tcp' || protocol === 'udp') && port !== undefined
      return { at: isPort ? { port: { protocol, port } } : {}, steps }
    }),
    match: (step) => matchStep(stepAt(step)),
    isOdd: (step) => isOdd(stepAt(step)),
    origin: (step) => `${sequence.stepsOrigin}/${step - 1}`,
  }).build()
}

/** A sequence whose ports change: which are meant is in sets, each port with its time. */
export function buildRotation(rotation: ValidRotation, context: KnockContext): KnockProgram {
  const { length, protocol, ports } = rotation
  const { door, attempt } = context
  const set = (step: number) => portsSet(door.name, attempt, step)
  const steps = Array.from({ length }, (_, index) => index + 1)
  const syn: Match[] = protocol === 'tcp' ? [{ kind: 'flags', flags: SYN }] : []
  return new SequenceBuilder(rotation, context, {
    length,
    places: [{ at: { range: { protocol, ports } }, steps }],
    match: (step) => ({ when: [...syn, inSet(set(step))] }),
    isOdd: () => false,
    // With other periods it is another table, whose ports are loaded anew.
    origin: (step) => `${rotation.origin}/rotate ${step} each ${rotation.every} s`,
    periodSets: steps.map((step) => ({ name: set(step) })),
  }).build()
}

/** The packets of the step's port, or the echo requests, that are this step. */
function matchStep({ protocol, flags, length }: Step): PacketMatch {
  const of = protocol === 'udp' ? 'udp' : 'icmp'
  // Of a ping that comes in fragments only their own lengths are known. A UDP header says the whole datagram's.
  const whole: Match[] = protocol === 'udp' ? [] : [{ kind: 'piece', part: 'none' }]
  const payload: Match[] = length === undefined ? [] : [...whole, { kind: 'length', of, length }]
  switch (protocol) {
    case 'tcp':
      return { when: [{ kind: 'flags', flags: flags ?? SYN }] }
    case 'icmpv6':
      return { families: [6], when: payload }
    default:
      return { when: payload }
  }
}
