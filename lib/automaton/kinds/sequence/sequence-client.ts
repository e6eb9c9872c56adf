// Steps, or several sequences of which each is sent once → packets in order. Pure.
import type { ProfileStep } from '../../../spec/generated/client-types.js'
import type { Findings } from '../../../spec/model/findings.js'
import type { Step } from '../../../spec/model/packet-model.js'
import { formatStep } from '../../../spec/model/step.js'
import { atOnce, type ClientKind, conceal, count, SILENCE } from '../../language/client-kind.js'
import { readClientStep } from './client-step.js'

/** Packets in this order. */
export interface StepsKnock {
  readonly kind: 'steps'
  readonly steps: readonly Step[]
}

/** Sequences of which each is sent once. */
export interface OneTimeKnock {
  readonly kind: 'oneTime'
  readonly sequences: readonly (readonly Step[])[]
}

const readSteps = (list: readonly ProfileStep[], path: string, findings: Findings): Step[] =>
  list.map((step, index) => readClientStep(step, `${path}/${index}`, findings))

export const steps: ClientKind<StepsKnock, readonly ProfileStep[]> = {
  read: (written, { path, findings }) => ({
    kind: 'steps',
    steps: readSteps(written, path, findings),
  }),
  stepsOf: ({ steps }) => steps,
  plan: ({ steps }) => atOnce(steps.map((step) => ({ step, label: formatStep(step) }))),
  hasGap: true,
  describe: (packets) => `${count(packets, 'packet')} sent`,
  next: SILENCE,
  example: '{"steps": ["tcp/7000", "udp/8000"], "gap": "200ms"}',
}

export const oneTime: ClientKind<OneTimeKnock, readonly (readonly ProfileStep[])[]> = {
  read(written, { path, findings }) {
    const sequences = written.map((list, index) => {
      const place = `${path}/${index}`
      return findings.isClean(place) ? readSteps(list, place, findings) : []
    })
    return { kind: 'oneTime', sequences }
  },
  stepsOf: ({ sequences }) => sequences.flat(),
  plan: ({ sequences }) => atOnce(conceal(sequences[0] ?? [])),
  hasGap: true,
  describe: (packets, left) =>
    `${count(packets, 'packet')} sent, a sequence that is used up; ` +
    `${count(left, 'sequence')} left`,
  next: SILENCE,
  example:
    '{"oneTime": [["tcp/7000", "udp/8000"], ["tcp/7100", "tcp/7200"]]}   # the ' +
    'first is taken out, then sent',
}
