// A valid spec and packets → the verdicts by the documented meaning. Pure. An independent model
// for tests: it shares no code with the compiler, and keeps a record for each source instead of
// sets and rules.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { end, type Sequence, stageOf } from './oracle-attempts.js'
import { grant, isGranted } from './oracle-door.js'
import type { OracleEvent } from './oracle-events.js'
import { Gate } from './oracle-gate.js'
import { judge } from './oracle-paced.js'
import {
  asks,
  contains,
  covers,
  isOnInterface,
  isService,
  isStateful,
  isSyn,
  startsSomething,
} from './oracle-packets.js'
import { advance, begins, isKnock, isKnockedAt, reset } from './oracle-ports.js'
import { isOtherQuestion, type Secrets, tokenIn, userOf } from './oracle-secrets.js'
import { type DoorState, type GuardState, stateOfDoor } from './oracle-state.js'
import { type Attempt, type Table, type Tokens, tableOf } from './oracle-table.js'

export type { DoorState, GuardState }

export type Verdict = 'accept' | 'drop'

export interface OracleOptions {
  /**
   * Which SYNs to ordinary ports and to services of timed knocks are remembered: those of a source
   * with a live attempt, as documented, or all. If both give the same outcome, it does not depend
   * on when exactly an attempt ends.
   */
  readonly remembers?: 'knocking' | 'all'
  readonly secrets?: Secrets
  /** When tokens were loaded. Default: at 0. */
  readonly loaded?: number
}

/** Seconds for which clients of some carriers may send a token again. */
const REPEATING = 60

export class Oracle {
  readonly #spec: ValidSpec
  readonly #table: Table
  readonly #gate: Gate
  readonly #remembersAll: boolean
  readonly #secrets: Secrets
  #loaded: number

  constructor(
    spec: ValidSpec,
    { remembers = 'knocking', secrets = new Map(), loaded = 0 }: OracleOptions = {},
  ) {
    this.#spec = spec
    this.#table = tableOf(spec, secrets)
    this.#remembersAll = remembers === 'all'
    this.#gate = new Gate(spec, this.#table, this.#remembersAll)
    this.#secrets = secrets
    this.#loaded = loaded
  }

  receive(packet: Packet): Verdict {
    if (!isOnInterface(this.#spec.interfaces, packet.interface)) return 'accept'
    if (packet.unreadable && packet.source.includes(':')) {
      return isStateful(this.#spec) && packet.state === 'established'
        ? 'accept'
        : this.#gate.receiveUnread(packet)
    }
    switch (this.#spec.hook) {
      case 'input':
        return this.#receive(packet)
      case 'forward':
        // The connection belongs to another host.
        return this.#receive({ ...packet, connected: false })
      default:
        // The first fragment is judged for the whole packet, if it hides nothing.
        if (packet.fragment === 'later') return 'accept'
        if (packet.fragment === 'second' || packet.fragment === 'bare') return 'drop'
        return this.#receiveStateless({ ...packet, connected: false, state: 'new' })
    }
  }

  /** Loads tokens again. Used ones stay used. */
  load(at: number): void {
    this.#loaded = at
  }

  state(at: number): Record<string, DoorState> {
    const { doors, attempts } = this.#table
    return Object.fromEntries(
      doors.map((door) => {
        const own = attempts.filter((attempt) => attempt.door === door)
        return [door.spec.name, stateOfDoor(door, own, at)]
      }),
    )
  }

  guardState(at: number): GuardState {
    const { guard } = this.#table
    const { bans, ignored, repeated } = guard
    return { banned: guard.banned(at), strikes: guard.strikes(at), bans, ignored, repeated }
  }

  /** Returns the events so far. */
  events(): readonly OracleEvent[] {
    return this.#table.events.list
  }

  /** Returns the number of redirected connections. */
  redirected(): number {
    return this.#gate.redirected
  }

  /** Returns the number of grants by each type of knock over each family. */
  made(): ReadonlyMap<string, number> {
    const all = this.#table.doors.flatMap(({ made }) => [...made])
    const labels = new Set(all.map(([label]) => label))
    const sum = (label: string) => all.reduce((n, [own, m]) => n + (own === label ? m : 0), 0)
    return new Map([...labels].map((label) => [label, sum(label)]))
  }

  #receive(packet: Packet): Verdict {
    // Also if conntrack calls it established: an accepted ping makes later ones so.
    const isEcho = packet.protocol === 'icmp' && packet.state !== 'invalid'
    if (isEcho && this.#isKnockPort(packet)) return this.#knock(packet)
    const judgement =
      packet.state === 'established' && !asks(packet)
        ? this.#gate.goOn(packet)
        : this.#gate.receiveAtPorts(packet)
    if (judgement && judgement !== 'knock') return judgement
    return this.#isKnockPort(packet) ? this.#knock(packet) : this.#ordinary(packet)
  }

  /**
   * Judges a packet without conntrack. Only a SYN starts a TCP connection.
   */
  #receiveStateless(packet: Packet): Verdict {
    if (packet.protocol !== 'tcp' || isSyn(packet)) return this.#receive(packet)
    const { flags = 0x02 } = packet
    if ((flags & 0x12) === 0x02) return this.#receive({ ...packet, state: 'invalid' })
    this.#gate.goOn({ ...packet, isReply: false })
    return 'accept'
  }

  #isKnockPort(packet: Packet): boolean {
    return this.#table.attempts.some((attempt) => isKnockedAt(attempt, packet))
  }

  #knock(packet: Packet): Verdict {
    const { attempts, guard, doors } = this.#table
    if (guard.isBanned(packet)) {
      guard.ignored += 1
      return 'drop'
    }
    const isInvalid = packet.state === 'invalid'
    if (!isInvalid && isSyn(packet) && guard.isAgain(packet)) {
      guard.repeated += 1
      return 'drop'
    }
    const knocked = attempts.filter((attempt) => isKnock(attempt, packet))
    for (const door of doors) {
      if (knocked.some((attempt) => attempt.door === door)) door.counters.knocks += 1
    }
    if (!isInvalid) {
      for (const attempt of attempts.filter((one) => !isKnockedAt(one, packet))) {
        reset(attempt, packet)
      }
    }
    const isThrough = attempts.some((attempt) => this.#judge(attempt, packet))
    return isThrough ? 'accept' : 'drop'
  }

  /** Judges a knock for one attempt. Returns whether the packet is let through. */
  #judge(attempt: Attempt, packet: Packet): boolean {
    if (!isKnockedAt(attempt, packet)) return false
    switch (attempt.kind) {
      case 'sequence':
        if (!advance(attempt, packet) && packet.state !== 'invalid') reset(attempt, packet)
        return false
      case 'paced': {
        const isServed = isService(attempt.door.spec, packet, 'ports')
        return begins(packet) && judge(attempt, packet, isServed ? 'both' : 'knock')
      }
      case 'token':
        if (begins(packet)) this.#present(attempt, packet)
        return false
    }
  }

  /** Judges a packet to the port of a token. A token is accepted once. */
  #present(attempt: Tokens, packet: Packet): void {
    const { door, guard, knock } = attempt
    const token = tokenIn(knock, packet)
    const used = token === undefined ? undefined : door.spent.get(token)
    const isUsed = used !== undefined
    // The network may have duplicated the packet, so it is no strike.
    if (isUsed && isGranted(door, packet)) return
    // Nor is a browser that goes on, or a name server's client that asks again.
    const repeats = knock.carrier !== 'udp'
    const source = guard.knockerOf(packet)
    if (isUsed && repeats && packet.at < (door.repeating.get(source) ?? 0)) return
    const user = userOf(this.#secrets, door.spec.name, knock, this.#loaded, packet)
    const isRight = user !== undefined
    const isElsewhere = user?.from?.every((block) => !contains(block, packet.source)) ?? false
    if (isRight && !isUsed && !isElsewhere) {
      door.spent.set(token as string, packet.at)
      door.repeating.set(source, packet.at + REPEATING)
      door.counters.knocks += 1
      grant(attempt, packet)
      door.events.knocked(attempt, 'granted', packet, { stage: 1, of: 1, user: user.name })
    } else {
      door.counters.wrong += 1
      const whose = isElsewhere && !isUsed ? { user: user?.name as string } : {}
      door.events.knocked(attempt, 'wrong', packet, whose)
      // A used token that was loaded again is valid, but the grants may be full.
      const isBack = isRight && isUsed && used < this.#loaded
      const isHarmless = (isUsed && repeats) || isOtherQuestion(knock, packet)
      if (!isBack && !isHarmless) guard.strike(packet)
    }
  }

  #ordinary(packet: Packet): Verdict {
    const isTrapped = !this.#gate.isTrusted(packet) && this.#table.guard.catches(packet)
    if (isTrapped) {
      this.#endOthers(packet)
      return 'drop'
    }
    const judgement = this.#gate.receiveAnywhere(packet)
    if (judgement && judgement !== 'knock') return judgement
    const isIgnored = this.#spec.guard.ignore.some((service) => covers(service, packet))
    if (!isIgnored && startsSomething(this.#spec, packet)) this.#endOthers(packet)
    return 'accept'
  }

  /** Ends the attempts that any packet which begins something ends. */
  #endOthers(packet: Packet): void {
    const ended = this.#table.attempts.filter(
      (attempt): attempt is Sequence => attempt.kind === 'sequence' && attempt.reset === 'any',
    )
    const { guard } = this.#table
    const source = guard.knockerOf(packet)
    const isKnocking = ended.some((attempt) => stageOf(attempt, source, packet.at) > 0)
    if (!isKnocking && !this.#remembersAll) return
    if (isSyn(packet) && guard.isAgain(packet)) return
    for (const attempt of ended) end(attempt, packet, 'ordinary')
  }
}
