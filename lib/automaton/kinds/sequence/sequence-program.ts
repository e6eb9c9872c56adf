// Steps in an order → their program: one timed set for each stage, and the rules that move a source
// from stage to stage. Pure.
import type { ValidRotation, ValidSequence } from '../../../spec/model/model.js'
import { ROOM_FOR_ALL } from '../../door/grant.js'
import type { Action, Match, Rule } from '../../language/automaton.js'
import {
  add,
  claim,
  count,
  inSet,
  notInSet,
  RETURN,
  remove,
  update,
} from '../../language/automaton.js'
import type { Logged } from '../../language/log-prefix.js'
import { attemptSet, counterName, isClosing, lockSet, stageSet } from '../../language/names.js'
import {
  AT_ONCE,
  type Endpoint,
  type KnockContext,
  type KnockProgram,
  type PacketMatch,
} from '../../language/program.js'
import type { PeriodSet, TimedSet } from '../../language/sets.js'
import { spentSequence } from '../../language/sets.js'

/** The steps of a sequence, numbered from 1. */
export interface Steps {
  readonly length: number
  /** The ports or ranges to which steps are sent, each with the numbers of its steps. */
  readonly places: readonly {
    readonly at: Pick<Endpoint, 'port' | 'range'>
    readonly steps: readonly number[]
  }[]
  readonly match: (step: number) => PacketMatch
  /** Whether a step can match packets other than a plain SYN, which conntrack may call invalid. */
  readonly isOdd: (step: number) => boolean
  /** JSON Pointer of the step, for the rule's comment. */
  readonly origin: (step: number) => string
  readonly periodSets?: readonly PeriodSet[]
}

const ALL = ['all'] as const

export class SequenceBuilder {
  readonly #sequence: ValidSequence | ValidRotation
  readonly #context: KnockContext
  readonly #steps: Steps
  /** The number of steps. */
  readonly #last: number
  /**
   * The longest time from the first knock to the last; undefined if the steps' own timeouts are
   * tighter.
   */
  readonly #timeout: number | undefined

  constructor(sequence: ValidSequence | ValidRotation, context: KnockContext, steps: Steps) {
    this.#sequence = sequence
    this.#context = context
    this.#steps = steps
    this.#last = steps.length
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
      origin: this.#sequence.origin,
      sets: this.#sets(),
      periodSets: this.#steps.periodSets ?? [],
      endpoints: this.#steps.places.map(({ at, steps }) => this.#endpoint(at, steps)),
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

  /** The stages of an attempt: after the first knock and before the last. */
  get #stages(): number[] {
    return Array.from({ length: this.#last - 1 }, (_, index) => index + 1)
  }

  #sets(): TimedSet[] {
    const { capacity } = this.#context
    const timed = (name: string, timeout: number): TimedSet => {
      return { name, key: ['source'], timeout, capacity }
    }
    const stages = this.#stages.map((s) => timed(this.#stage(s), this.#sequence.stepTimeout))
    const whole = this.#timeout === undefined ? [] : [timed(this.#attempt, this.#timeout)]
    if (!this.#spentSet) return [...stages, ...whole]
    const lock = { name: this.#lock, key: ALL, timeout: AT_ONCE, capacity: ROOM_FOR_ALL }
    return [...stages, ...whole, this.#spentSet, lock]
  }

  /** The set that remembers a used one-time sequence; undefined for other sequences. */
  get #spentSet(): TimedSet | undefined {
    const once = this.#sequence.type === 'sequence' ? this.#sequence.once : undefined
    return once === undefined ? undefined : spentSequence(this.#context.door.name, once)
  }

  get #spent(): string | undefined {
    return this.#spentSet?.name
  }

  get #lock(): string {
    return lockSet(this.#context.door.name, this.#context.attempt)
  }

  /** Matches a source in a stage whose attempt is within its whole timeout. */
  #isIn(stage: number): Match[] {
    const inStage = inSet(this.#stage(stage))
    return this.#timeout === undefined ? [inStage] : [inStage, inSet(this.#attempt)]
  }

  #endpoint(at: Pick<Endpoint, 'port' | 'range'>, steps: readonly number[]): Endpoint {
    // The order decides: advance, then duplicate, then start over (docs/understand/semantics.md).
    const judged = [
      ...steps.filter((i) => i > 1).flatMap((i) => this.#advance(i).map((rule) => ({ i, rule }))),
      ...steps.filter((i) => i > 1 && i < this.#last).map((i) => ({ i, rule: this.#duplicate(i) })),
      ...steps.filter((i) => i === 1).flatMap((i) => this.#start().map((rule) => ({ i, rule }))),
    ]
    const odd = (i: number) => this.#steps.isOdd(i)
    return {
      ...at,
      packets: steps.map(this.#steps.match),
      rules: judged.map(({ rule }) => rule),
      invalidPackets: steps.filter(odd).map(this.#steps.match),
      invalidRules: judged.filter(({ i }) => odd(i)).map(({ rule }) => rule),
    }
  }

  #rule(step: number, purpose: string, when: Match[], then: Action[], logs?: Logged): Rule {
    const packet = this.#steps.match(step)
    return {
      ...packet,
      when: [...packet.when, ...when],
      then,
      verdict: RETURN,
      ...(logs && { logs }),
      comment: `${this.#context.door.name} ${this.#steps.origin(step)} ${purpose}`,
    }
  }

  /** @param stage - how many packets of the attempt have come. */
  #logged(event: Logged['event'], stage: number): Logged {
    const { door, attempt } = this.#context
    return { event, door: door.name, attempt, stage, of: this.#last }
  }

  #advance(step: number): Rule[] {
    const from = this.#stage(step - 1)
    if (step === this.#last) return this.#complete(this.#isIn(step - 1), [remove(from)])
    // The new stage first: if its set is full, nothing is deleted yet, and the next rules decide.
    const then = [...this.#context.touch, update(this.#stage(step)), remove(from)]
    const when = this.#isIn(step - 1)
    const advance = this.#rule(step, 'advance', when, then, this.#logged('knock', step))
    return [advance, ...this.#noRoom(step, when, [remove(from)])]
  }

  /**
   * The rule for a correct knock that finds a set full: it ends the attempt, as the rules behind it
   * would, but without a strike.
   */
  #noRoom(step: number, when: Match[], leave: Action[]): Rule[] {
    const { strike, door } = this.#context
    if (strike.kind === 'return' || this.#sequence.reset === 'never') return []
    const then = [...leave, count(counterName('resets', door.name))]
    return [this.#rule(step, 'no room', when, then, this.#logged('reset', step - 1))]
  }

  /**
   * The rules for the last knock. If a one-time sequence was used before, its last knock ends the
   * attempt as a wrong one.
   */
  #complete(when: Match[], leave: Action[]): Rule[] {
    const { attempt, complete, strike, door } = this.#context
    const done = this.#logged(isClosing(attempt) ? 'closed' : 'granted', this.#last)
    const end = this.#timeout === undefined ? leave : [...leave, remove(this.#attempt)]
    if (this.#spent === undefined) {
      const completed = this.#rule(this.#last, 'complete', when, [...complete, ...end], done)
      return this.#last === 1 ? [completed] : [completed, ...this.#noRoom(this.#last, when, end)]
    }
    const unused = [...when, notInSet(this.#spent)]
    const spent = [...when, inSet(this.#spent)]
    // The sequence is marked as used after the grant: if the grant's set is full, the sequence
    // stays unused. The set that marks it always has room.
    const once = [claim(this.#lock), ...complete, add(this.#spent), ...end]
    const used = [...end, count(counterName('resets', door.name))]
    const ended = this.#logged('reset', this.#last - 1)
    return [
      this.#rule(this.#last, 'complete', unused, once, done),
      { ...this.#rule(this.#last, 'used already', spent, used, ended), verdict: strike },
      ...(this.#last === 1 ? [] : this.#noRoom(this.#last, when, end)),
    ]
  }

  #duplicate(step: number): Rule {
    return this.#rule(step, 'duplicate', this.#isIn(step), [...this.#context.touch])
  }

  #start(): Rule[] {
    if (this.#last === 1) return this.#complete([], [])
    const attempt = this.#timeout === undefined ? [] : [update(this.#attempt)]
    const later = this.#stages.slice(1).map((stage) => remove(this.#stage(stage)))
    const then = [...this.#context.touch, ...attempt, update(this.#stage(1)), ...later]
    return [this.#rule(1, 'start', [], then, this.#logged('knock', 1))]
  }

  #wipe(): Rule[] {
    const { door, strike } = this.#context
    return this.#stages.map((stage) => ({
      when: this.#isIn(stage),
      then: [remove(this.#stage(stage)), count(counterName('resets', door.name))],
      verdict: strike,
      logs: this.#logged('reset', stage),
      comment: `${door.name} ${this.#sequence.origin} reset at stage ${stage}`,
    }))
  }
}
