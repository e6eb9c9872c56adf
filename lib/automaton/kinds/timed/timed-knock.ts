// What knocks have in common in which times decide: a wrong knock wipes the attempt and is paid
// for, and the packet in time passes. Pure.
import type { KnockPort } from '../../../spec/model/model.js'
import { stepMeetsService } from '../../../spec/model/step.js'
import {
  ACCEPT,
  type Action,
  claim,
  count,
  inSet,
  type Match,
  RETURN,
  type Rule,
  remove,
  type TimedSet,
  update,
} from '../../language/automaton.js'
import type { Logged } from '../../language/log-prefix.js'
import { counterName, lockSet, penaltySet } from '../../language/names.js'
import { isSyn } from '../../language/once.js'
import type { Endpoint, KnockContext, ServiceRules } from '../../language/program.js'

/** The rules of one timed knock: for its own ports, and for the door's service. */
export interface TimedRules {
  /** At a port where the packet can be a knock alone, or the connection as well. */
  readonly knock: readonly Rule[]
  readonly ownService: readonly Rule[]
  readonly service: ServiceRules
}

/** Actions of one rule that are many. */
const AT_ONCE = 16

interface PenalisingKnock {
  readonly origin: string
  /** Seconds. */
  readonly penalty: number
}

/** Writes the rules of one knock that depends on times. */
export class TimedKnock {
  readonly #context: KnockContext
  readonly #knock: PenalisingKnock
  /** Ends the attempt, wherever it is. */
  readonly #wipe: readonly Action[]
  /** How many packets the knock takes, without the one that is let through. */
  readonly #of: number

  constructor(
    context: KnockContext,
    { knock, of, wipe }: { knock: PenalisingKnock; of: number; wipe: readonly Action[] },
  ) {
    this.#context = context
    this.#knock = knock
    this.#of = of
    this.#wipe = wipe
  }

  get penalty(): string {
    return penaltySet(this.#context.door.name, this.#context.attempt)
  }

  timedSet(name: string, timeout: number): TimedSet {
    return { name, key: ['source'], timeout, capacity: this.#context.capacity }
  }

  /** Claimed by the packet that is let through, given back by the first of the next attempt. */
  get lock(): string {
    return lockSet(this.#context.door.name, this.#context.attempt)
  }

  /**
   * The sets that both kinds have; an attempt with its last packet lasts so many seconds at the
   * most.
   */
  sharedSets(lasts: number): TimedSet[] {
    return [this.timedSet(this.lock, lasts), this.timedSet(this.penalty, this.#knock.penalty)]
  }

  /** So many packets had come, where that is known. */
  logged(event: Logged['event'], stage?: number): Logged {
    const { door, attempt } = this.#context
    const place = stage === undefined ? {} : { stage, of: this.#of }
    return { event, door: door.name, attempt, ...place }
  }

  rule(purpose: string, rest: Omit<Rule, 'comment'>): Rule {
    return { ...rest, comment: `${this.#context.door.name} ${this.#knock.origin} ${purpose}` }
  }

  /**
   * An attempt begins: what an earlier one has left is removed, and the last of the rules ends with
   * a verdict. The kernel takes rules of 4 KiB at the most, so there are several.
   */
  begin(
    purpose: string,
    when: readonly Match[],
    stale: readonly string[],
    then: readonly Action[],
  ): Rule[] {
    const logs = this.logged('knock', 1)
    const actions = stale.map(remove)
    const last = actions.splice(-(actions.length % AT_ONCE || AT_ONCE))
    const parts = Array.from({ length: actions.length / AT_ONCE }, (_, part) =>
      actions.slice(part * AT_ONCE, (part + 1) * AT_ONCE),
    )
    return [
      ...parts.map((part) => this.rule(`${purpose}, cleared`, { when, then: part })),
      this.rule(purpose, { when, then: [...last, ...then], verdict: RETURN, logs }),
    ]
  }

  /** While a source pays, each of its packets makes it pay anew: a flood never ends. */
  penalised(): Rule {
    const then = [update(this.penalty)]
    return this.rule('penalised', { when: [inSet(this.penalty)], then, verdict: RETURN })
  }

  /**
   * Too fast, or one too many. Wiped first: where no more sources fit among the penalised, the
   * attempt is over at least.
   */
  punish(purpose: string, when: readonly Match[], stage?: number): Rule {
    return { ...this.hold(purpose, when, stage), verdict: this.#context.strike }
  }

  /**
   * The same of a packet to a port that is no knock port: everybody knows the service, so it is no
   * strike.
   */
  hold(purpose: string, when: readonly Match[], stage?: number): Rule {
    const resets = counterName('resets', this.#context.door.name)
    const then = [...this.#wipe, count(resets), update(this.penalty)]
    const logs = this.logged('reset', stage)
    return this.rule(purpose, { when, then, verdict: RETURN, logs })
  }

  /**
   * Room first: if a set is full, nobody is let through, and the source can try again in time. Of
   * two packets at once the second finds the lock claimed, and has given the source nothing that
   * the first did not.
   */
  letThrough(when: readonly Match[]): Rule {
    const { room, then: granted } = this.#context.letThrough
    const then = [...room, claim(this.lock), ...granted, ...this.#wipe]
    const logs = this.logged('granted', this.#of)
    return this.rule('in time', { when, then, verdict: ACCEPT, logs })
  }

  /** What is to be said of packets to the service, where not all of it is knocked on itself. */
  service(ports: readonly KnockPort[], rules: ServiceRules): { service?: ServiceRules } {
    const isKnocked = this.#context.door.services.every(({ protocol, ports: range }) =>
      ports.some(
        (own) => own.protocol === protocol && own.port === range?.from && own.port === range.to,
      ),
    )
    return isKnocked ? {} : { service: rules }
  }

  /** The endpoints at the knock's ports. */
  endpoints(ports: readonly KnockPort[], { knock, ownService }: TimedRules): Endpoint[] {
    const { door } = this.#context
    return ports.map((port) => {
      const when: Match[] = port.protocol === 'tcp' ? [isSyn] : []
      const isOwn = door.services.some((service) => stepMeetsService(port, service))
      const rules = isOwn ? ownService : knock
      return {
        port,
        packets: [{ when }],
        rules: rules.map((rule) => ({ ...rule, when: [...when, ...rule.when] })),
        invalidPackets: [],
        invalidRules: [],
      }
    })
  }
}
