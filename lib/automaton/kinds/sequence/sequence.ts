// Knocks in a written order: reading, checks and rules. Pure.
import type { ProfileStep } from '../../../spec/generated/client-types.js'
import type { SequenceKnock, StepObject } from '../../../spec/generated/knock-types.js'
import type { ValidSequence } from '../../../spec/model/model.js'
import type { Step } from '../../../spec/model/packet-model.js'
import { formatFlags, formatStep, isOdd, SYN } from '../../../spec/model/step.js'
import type { Match } from '../../language/automaton.js'
import type { Kind } from '../../language/kind.js'
import type { KnockContext, KnockProgram, PacketMatch } from '../../language/program.js'
import { checkSequences } from './check-sequence.js'
import { readSequences } from './read-sequence.js'
import { SequenceBuilder } from './sequence-program.js'

export const sequence: Kind<ValidSequence, SequenceKnock> = {
  read: readSequences,
  check: checkSequences,
  stepsOf: ({ steps, stepsOrigin }) => steps.map((step, i) => [step, `${stepsOrigin}/${i}`]),
  lengthOf: ({ steps }) => steps.length,
  worksOnce: ({ once }) => once !== undefined,
  profileOf([first, ...others]) {
    const lists = [first, ...others].map(({ steps }) => steps.map(writeStep))
    return first.once === undefined ? { steps: lists.flat() } : { oneTime: lists }
  },
  build,
  share,
}

/** Plain packets to ports, whose attempts every other packet resets. */
function share({ steps, once, reset, stepTimeout, timeout }: ValidSequence) {
  const bySteps = (steps.length - 1) * stepTimeout
  if (once !== undefined || reset !== 'any' || (timeout !== undefined && timeout < bySteps)) {
    return undefined
  }
  const plain = steps.flatMap(({ protocol, port, flags, length }) =>
    (protocol === 'tcp' || protocol === 'udp') &&
    port !== undefined &&
    flags === undefined &&
    length === undefined
      ? [{ protocol, port }]
      : [],
  )
  return plain.length === steps.length ? { steps: plain, stepTimeout } : undefined
}

function build(sequence: ValidSequence, context: KnockContext): KnockProgram {
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

/** Matches the step among the packets to its port, or among echo requests. */
function matchStep({ protocol, flags, length }: Step): PacketMatch {
  const of = protocol === 'udp' ? 'udp' : 'icmp'
  // A fragment of a ping has only its own length. A UDP header has the length of the whole
  // datagram.
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

/** Writes a step as a profile has it: as text, if nothing but protocol and port is asked for. */
function writeStep({ flags, length, ...step }: Step): ProfileStep {
  if (!flags && length === undefined) return formatStep(step)
  return {
    ...step,
    ...(flags && { flags: formatFlags(flags) }),
    ...(length !== undefined && { length }),
  } as StepObject
}
