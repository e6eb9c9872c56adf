// An automaton and packets with their times → the verdict on each packet, and the contents of all
// sets. Pure: time comes with the packets.
import type {
  Action,
  Automaton,
  Chain,
  Match,
  Rule,
  Verdict,
} from '../automaton/language/automaton.js'
import type { Loads } from '../automaton/language/loads.js'
import { type Logged, parsePrefix, withUserName } from '../automaton/language/log-prefix.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { SharedKnocks } from '../automaton/sharing/find.js'
import { markOf, numberIn } from '../automaton/sharing/names.js'
import { SYN } from '../spec/model/step.js'
import {
  comesTo,
  familyOf,
  fitsPattern,
  hasBytes,
  hasPorts,
  ipProtocol,
  isAmong,
  isPiece,
  isUnreadable,
  isWithin,
  numberOf,
  type Packet,
} from './packet.js'
import { Rates } from './rates.js'
import { SimulatedMaps } from './simulated-maps.js'
import { type SimulatedElement, SimulatedSets } from './simulated-sets.js'

/** A packet between two base chains. After a redirect `sentTo` is the port to which it was sent. */
interface Travelling extends Packet {
  readonly sentTo?: number | undefined
  /** Rules change these two. */
  mark: number
  port?: number
}

/** An event that the kernel would log. */
interface LoggedEvent extends Logged {
  readonly at: number
  readonly source: string
}

type Outcome = 'accept' | 'drop'
/** The result of a rule or chain. `next`: the rule ended early or has no verdict. */
type Step = Outcome | 'return' | 'next' | Extract<Verdict, { kind: 'redirect' }>

/** Interprets an automaton as the kernel executes the rendered ruleset. */
export class Simulator {
  readonly #automaton: Automaton
  readonly #chains: ReadonlyMap<string, Chain>
  readonly #sets: SimulatedSets
  readonly #counters = new Map<string, number>()
  readonly #logged: LoggedEvent[] = []
  readonly #rates = new Rates()
  readonly #maps: SimulatedMaps
  readonly #knocks: SharedKnocks
  readonly #doors: ReadonlyMap<string, DoorSummary>

  constructor(automaton: Automaton) {
    this.#automaton = automaton
    this.#chains = new Map(automaton.chains.map((chain) => [chain.name, chain]))
    this.#sets = new SimulatedSets(automaton)
    this.#maps = new SimulatedMaps(automaton)
    this.#knocks = new SharedKnocks(automaton.doors)
    this.#doors = new Map(automaton.doors.map((door) => [door.name, door]))
  }

  /** Fills the sets of tokens and ports; their old elements are gone. */
  load(loads: Loads): void {
    this.#sets.load(loads)
  }

  /** Judges one packet. Its time must not be before that of the last one. */
  receive(packet: Packet): Outcome {
    let travelling: Travelling = { ...packet, mark: 0 }
    const { interface: name = this.#device } = packet
    for (const chain of this.#automaton.chains) {
      if (!chain.base || !comesTo(chain.base, { ...packet, ...(name && { interface: name }) })) {
        continue
      }
      const step = this.#walk(chain, travelling)
      if (step === 'drop') return 'drop'
      if (typeof step !== 'object') continue
      // Sent on to another host: no further chain of this host judges it.
      if (step.to.address !== undefined) return 'accept'
      travelling = { ...packet, port: step.to.port, sentTo: packet.port, mark: 0 }
    }
    return 'accept'
  }

  /** The elements of a set that have not expired, in the order in which they came. */
  members(set: string, at: number): SimulatedElement[] {
    return this.#sets.members(set, at)
  }

  /** The first device of a table at ingress: the default for packets without an interface. */
  get #device(): string | undefined {
    return this.#automaton.chains.find(({ base }) => base)?.base?.device
  }

  /** The value of a counter so far; 0 if it never counted. */
  counter(name: string): number {
    return this.#counters.get(name) ?? 0
  }

  /** The events that were logged so far, in order. */
  logged(): readonly LoggedEvent[] {
    return this.#logged
  }

  #walk(chain: Chain, packet: Travelling): Step {
    for (const rule of chain.rules) {
      const step = this.#apply(rule, packet)
      if (step !== 'next') return step
    }
    return 'return'
  }

  #apply(rule: Rule, packet: Travelling): Step {
    if (rule.families && !rule.families.includes(familyOf(packet))) return 'next'
    if (!rule.when.every((match) => this.#holds(match, packet))) return 'next'
    for (const action of rule.then ?? []) {
      if (!this.#act(action, packet)) return 'next'
    }
    return rule.verdict ? this.#follow(rule.verdict, packet) : 'next'
  }

  #follow(verdict: Verdict, packet: Travelling): Step {
    switch (verdict.kind) {
      case 'accept':
      case 'drop':
      case 'return':
        return verdict.kind
      case 'reset':
        return 'drop'
      case 'redirect':
        return verdict
      case 'goto':
        return this.#walk(this.#chain(verdict.chain), packet)
      case 'jump': {
        const step = this.#walk(this.#chain(verdict.chain), packet)
        return step === 'return' ? 'next' : step
      }
      case 'dispatch':
      case 'move': {
        const found = hasPorts(packet) ? this.#maps.find(verdict, packet) : undefined
        return found ? this.#follow(found, packet) : 'next'
      }
    }
  }

  #chain(name: string): Chain {
    const chain = this.#chains.get(name)
    if (!chain) throw new Error(`unreachable: no chain ${name}`)
    return chain
  }

  #holds(match: Match, packet: Travelling): boolean {
    const { protocol, port, source, destination, sentTo, interface: name = '' } = packet
    const length = packet.length ?? (packet.payload?.length ?? 0) / 2
    switch (match.kind) {
      case 'in':
        return this.#sets.has(match.set, packet, match.constant)
      case 'not-in':
        return !this.#sets.has(match.set, packet, match.constant)
      case 'state':
        return match.states.includes(packet.state ?? 'new')
      case 'protocol': {
        if (isUnreadable(packet)) return false
        const own = numberOf(ipProtocol(packet))
        return match.protocols.some((name) => numberOf(name) === own) !== (match.not ?? false)
      }
      case 'port':
        return hasPorts(packet) && match.protocol === protocol && isWithin(port, match.ports)
      case 'flags': {
        const fits = ((packet.flags ?? SYN.value) & match.flags.mask) === match.flags.value
        return hasPorts(packet) && protocol === 'tcp' && fits !== (match.not ?? false)
      }
      case 'piece':
        return isPiece(packet, match.part)
      case 'transport-header':
        return !isUnreadable(packet)
      case 'no-more-headers':
        return false
      case 'original-direction':
        return !packet.isReply
      case 'redirected':
        return match.from.some((ports) => isWithin(sentTo, ports))
      case 'length':
        return hasPorts(packet) && match.of === protocol && match.length === length
      case 'bytes':
        return hasBytes(packet, match)
      case 'echo-request':
        return hasPorts(packet) && protocol === 'icmp'
      case 'source':
        return isAmong(match.addresses, source) !== (match.not ?? false)
      case 'destination':
        return isAmong(match.addresses, destination) !== (match.not ?? false)
      case 'loopback':
        return packet.interface === 'lo'
      case 'own-connection':
        return packet.connected ?? false
      case 'interface':
        return match.names.some((pattern) => fitsPattern(pattern, name)) !== (match.not ?? false)
      case 'marked':
        return packet.mark !== 0
      case 'within-rate':
        return this.#rates.isWithin(match, packet.at)
    }
  }

  /** Performs one action. False if it ends the rule: a set is full, or a key is claimed already. */
  #act(action: Action, packet: Travelling): boolean {
    switch (action.op) {
      case 'mark':
        packet.mark = action.value
        return true
      case 'stage':
        packet.mark = markOf(numberIn(packet.mark), action.stage)
        return true
      case 'recall': {
        const mark = this.#sets.recall(action.set, packet)
        if (mark !== undefined) packet.mark = mark
        return mark !== undefined
      }
      case 'look-up':
        return hasPorts(packet) && this.#maps.lookUp(action.map, packet)
      case 'log': {
        const { table: _, ...logged } = parsePrefix(action.prefix) as Logged & { table: string }
        const door = this.#doors.get(logged.door ?? '')
        const named = logged.shared
          ? this.#knocks.name(logged, packet.mark)
          : withUserName(logged, door)
        if (named) this.#logged.push({ at: packet.at, source: packet.source, ...named })
        return true
      }
      case 'count':
        this.#counters.set(action.counter, this.counter(action.counter) + 1)
        return true
      default:
        return this.#sets.change(action, packet)
    }
  }
}
