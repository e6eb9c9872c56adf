// The rules that rates and rhythms share: a wrong knock ends the attempt and penalises the source,
// and the packet in time is accepted. Pure.
import type { KnockPort } from '../../../spec/model/packet-model.js'
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
  update,
} from '../../language/automaton.js'
import type { Logged } from '../../language/log-prefix.js'
import { counterName, lockSet, penaltySet } from '../../language/names.js'
import { isSyn } from '../../language/once.js'
import type { Endpoint, KnockContext, ServiceRules } from '../../language/program.js'
import type { TimedSet } from '../../language/sets.js'

/** The rules of one timed knock, for its own ports and for the door's service. */
export interface TimedRules {
  /**
   * `knock` is for ports where a packet can only be a knock, `ownService` for ports where it can
   * also be the connection.
   */
  readonly knock: readonly Rule[]
  readonly ownService: readonly Rule[]
  readonly service: ServiceRules
}

/** The most actions of one rule that deletes old elements. */
const AT_ONCE = 16

interface PenalisingKnock {
  readonly origin: string
  /** Seconds. */
  readonly penalty: number
}

/** Builds the rules of one rate or rhythm. */
export class TimedKnock {
  readonly #context: KnockContext
  readonly #knock: PenalisingKnock
  /** The actions that end the attempt at any stage. */
  readonly #wipe: readonly Action[]
  /** How many packets the knock takes, not counting the one that is accepted. */
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

  /**
   * The set claimed by the packet that is accepted. The first packet of the next attempt deletes
   * the claim.
   */
  get lock(): string {
    return lockSet(this.#context.door.name, this.#context.attempt)
  }

  /**
   * The sets that both kinds have.
   *
   * @param lasts - the most seconds of an attempt, including its last packet.
   */
  sharedSets(lasts: number): TimedSet[] {
    return [this.timedSet(this.lock, lasts), this.timedSet(this.penalty, this.#knock.penalty)]
  }

  /** @param stage - how many packets had come, if that is known. */
  logged(event: Logged['event'], stage?: number): Logged {
    const { door, attempt } = this.#context
    const place = stage === undefined ? {} : { stage, of: this.#of }
    return { event, door: door.name, attempt, ...place }
  }

  rule(purpose: string, rest: Omit<Rule, 'comment'>): Rule {
    return { ...rest, comment: `${this.#context.door.name} ${this.#knock.origin} ${purpose}` }
  }

  /**
   * The rules that begin an attempt. They first delete what an earlier attempt has left; the last
   * one ends with a verdict. The kernel limits a rule to 4 KiB, so there may be several.
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

  /** Each packet of a penalised source restarts its penalty, so a flood never opens. */
  penalised(): Rule {
    const then = [update(this.penalty)]
    return this.rule('penalised', { when: [inSet(this.penalty)], then, verdict: RETURN })
  }

  /**
   * The rule for a packet that is too fast or one too many. The attempt is ended first: if the set
   * of penalised sources is full, it is over at least.
   */
  punish(purpose: string, when: readonly Match[], stage?: number): Rule {
    return { ...this.hold(purpose, when, stage), verdict: this.#context.strike }
  }

  /**
   * The same for a packet to a port that is no knock port. It is no strike, since everybody knows
   * the service.
   */
  hold(purpose: string, when: readonly Match[], stage?: number): Rule {
    const resets = counterName('resets', this.#context.door.name)
    const then = [...this.#wipe, count(resets), update(this.penalty)]
    const logs = this.logged('reset', stage)
    return this.rule(purpose, { when, then, verdict: RETURN, logs })
  }

  /**
   * The rule that accepts the packet in time. Actions that may find a set full come first: nobody
   * is then accepted, and the source can try again in time. Of two packets at once the second finds
   * the lock claimed, and has added nothing that the first did not.
   */
  letThrough(when: readonly Match[]): Rule {
    const { room, then: granted } = this.#context.letThrough
    const then = [...room, claim(this.lock), ...granted, ...this.#wipe]
    const logs = this.logged('granted', this.#of)
    return this.rule('in time', { when, then, verdict: ACCEPT, logs })
  }

  /** The rules for packets to the service; empty if the whole service is a knock port. */
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
