// A sequence of knocks → its program: one timed set for each stage, and the rules that move a source along. Pure.
import type { Step, ValidSequence } from '../spec/model.js'
import { SYN } from '../spec/step.js'
import type { Action, Match, Rule, TimedSet } from './automaton.js'
import { count, inSet, RETURN, remove, update } from './automaton.js'
import { attemptSet, counterName, stageSet } from './names.js'
import type { Endpoint, KnockContext, KnockProgram, PacketMatch } from './program.js'

export function buildSequence(sequence: ValidSequence, context: KnockContext): KnockProgram {
  return new SequenceBuilder(sequence, context).build()
}

class SequenceBuilder {
  readonly #sequence: ValidSequence
  readonly #context: KnockContext
  /** The number of steps. */
  readonly #last: number
  /** The longest time from the first knock to the last, where the steps' own timeouts do not bound it already. */
  readonly #timeout: number | undefined

  constructor(sequence: ValidSequence, context: KnockContext) {
    this.#sequence = sequence
    this.#context = context
    this.#last = sequence.steps.length
    const bySteps = (this.#last - 1) * sequence.stepTimeout
    const { timeout } = sequence
    this.#timeout = timeout !== undefined && timeout < bySteps ? timeout : undefined
  }

  build(): KnockProgram {
    const { door, attempt } = this.#context
    const { reset, stepTimeout } = this.#sequence
    return {
      door,
      attempt,
      sets: this.#sets(),
      endpoints: this.#endpoints(),
      wipe: this.#wipe(),
      reset,
      gap: stepTimeout,
      lasts: this.#timeout ?? (this.#last - 1) * stepTimeout,
    }
  }

  #stage(stage: number): string {
    return stageSet(this.#context.door.name, this.#context.attempt, stage)
  }

  get #attempt(): string {
    return attemptSet(this.#context.door.name, this.#context.attempt)
  }

  /** The stages in which an attempt can be: behind the first knock and before the last. */
  get #stages(): number[] {
    return Array.from({ length: this.#last - 1 }, (_, index) => index + 1)
  }

  #sets(): TimedSet[] {
    const { capacity } = this.#context
    const timed = (name: string, timeout: number): TimedSet => {
      return { name, key: ['source'], timeout, capacity }
    }
    const stages = this.#stages.map((s) => timed(this.#stage(s), this.#sequence.stepTimeout))
    return this.#timeout === undefined ? stages : [...stages, timed(this.#attempt, this.#timeout)]
  }

  /** That the source is in a stage, and its attempt within its whole time. */
  #isIn(stage: number): Match[] {
    const inStage = inSet(this.#stage(stage))
    return this.#timeout === undefined ? [inStage] : [inStage, inSet(this.#attempt)]
  }

  #endpoints(): Endpoint[] {
    const groups = new Map<string, number[]>()
    for (const [index, step] of this.#sequence.steps.entries()) {
      const key = step.port === undefined ? 'icmp' : `${step.protocol}/${step.port}`
      groups.set(key, [...(groups.get(key) ?? []), index + 1])
    }
    return [...groups.values()].map((positions) => this.#endpoint(positions))
  }

  #endpoint(positions: readonly number[]): Endpoint {
    const { protocol, port } = this.#step(positions[0] as number)
    const isPort = (protocol === 'tcp' || protocol === 'udp') && port !== undefined
    // The order is the meaning: advance, then duplicate, then start over.
    const judged = [
      ...positions.filter((i) => i > 1).map((i) => ({ i, rule: this.#advance(i) })),
      ...positions
        .filter((i) => i > 1 && i < this.#last)
        .map((i) => ({ i, rule: this.#duplicate(i) })),
      ...positions.filter((i) => i === 1).map((i) => ({ i, rule: this.#start() })),
    ]
    return {
      ...(isPort && { port: { protocol, port } }),
      packets: positions.map((i) => matchStep(this.#step(i))),
      rules: judged.map(({ rule }) => rule),
      invalidPackets: positions
        .filter((i) => isOdd(this.#step(i)))
        .map((i) => matchStep(this.#step(i))),
      invalidRules: judged.filter(({ i }) => isOdd(this.#step(i))).map(({ rule }) => rule),
    }
  }

  #step(position: number): Step {
    return this.#sequence.steps[position - 1] as Step
  }

  #comment(position: number): string {
    return `${this.#context.door.name} ${this.#sequence.origin}/steps/${position - 1}`
  }

  #rule(position: number, purpose: string, when: Match[], then: Action[]): Rule {
    const packet = matchStep(this.#step(position))
    return {
      ...packet,
      when: [...packet.when, ...when],
      then,
      verdict: RETURN,
      comment: `${this.#comment(position)} ${purpose}`,
    }
  }

  #advance(position: number): Rule {
    const from = this.#stage(position - 1)
    if (position === this.#last) {
      const attempt = this.#timeout === undefined ? [] : [remove(this.#attempt)]
      const then = [...this.#context.complete, remove(from), ...attempt]
      return this.#rule(position, 'complete', this.#isIn(position - 1), then)
    }
    // Into the new stage first: where that is full nothing is lost yet, and the rules behind this one decide.
    const then = [...this.#context.touch, update(this.#stage(position)), remove(from)]
    return this.#rule(position, 'advance', this.#isIn(position - 1), then)
  }

  #duplicate(position: number): Rule {
    return this.#rule(position, 'duplicate', this.#isIn(position), [...this.#context.touch])
  }

  #start(): Rule {
    if (this.#last === 1) return this.#rule(1, 'complete', [], [...this.#context.complete])
    const attempt = this.#timeout === undefined ? [] : [update(this.#attempt)]
    const later = this.#stages.slice(1).map((stage) => remove(this.#stage(stage)))
    const then = [...this.#context.touch, ...attempt, update(this.#stage(1)), ...later]
    return this.#rule(1, 'start', [], then)
  }

  #wipe(): Rule[] {
    const { name } = this.#context.door
    return this.#stages.map((stage) => ({
      when: this.#isIn(stage),
      then: [remove(this.#stage(stage)), count(counterName('resets', name))],
      verdict: RETURN,
      comment: `${name} ${this.#sequence.origin} reset at stage ${stage}`,
    }))
  }
}

/** The packets of the step's port, or the echo requests, that are this step. */
function matchStep({ protocol, flags, length }: Step): PacketMatch {
  const of = protocol === 'udp' ? 'udp' : 'icmp'
  const payload: Match[] = length === undefined ? [] : [{ kind: 'length', of, length }]
  switch (protocol) {
    case 'tcp':
      return { when: [{ kind: 'flags', flags: flags ?? SYN }] }
    case 'icmpv6':
      return { families: [6], when: payload }
    default:
      return { when: payload }
  }
}

/** Whether a step can be a packet other than a plain SYN, which conntrack may call invalid. */
function isOdd({ flags }: Step): boolean {
  return (
    flags !== undefined &&
    ((flags.mask & SYN.mask) !== SYN.mask || (flags.value & SYN.mask) !== SYN.value)
  )
}
