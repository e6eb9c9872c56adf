// An automaton and packets with their times → what becomes of each packet, and who is where. Pure: time comes with the packets.
import { cidrContains } from '../spec/address.js'
import type { Cidr, Family } from '../spec/model.js'
import { SYN } from '../spec/step.js'
import type {
  Action,
  Automaton,
  Chain,
  KeyField,
  Match,
  Rule,
  State,
  Verdict,
} from './automaton.js'

/** One packet as it comes in. */
export interface Packet {
  /** Seconds since any moment; never less than the packet's before. */
  readonly at: number
  /** An address in canonical text; it says the family. */
  readonly source: string
  /** Default: an address that no door names. */
  readonly destination?: string
  /** `icmp` is an echo request, of either family. */
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  readonly port?: number
  readonly sourcePort?: number
  /** The TCP flags as a byte (RFC 9293). Default: SYN. */
  readonly flags?: number
  /** Bytes of payload. Default: 0. */
  readonly length?: number
  /** The interface it comes in on. Default: one that is not loopback. */
  readonly interface?: string
  /** Whether the host has the TCP connection to which it belongs. Default: false. */
  readonly connected?: boolean
  /** What conntrack calls it. Default: new. */
  readonly state?: State
}

export interface Member {
  readonly set: string
  readonly family: Family
  readonly key: string
  /** Seconds that it still lives. */
  readonly expiresIn: number
}

type Outcome = 'accept' | 'drop'
/** What a rule leads to; `next`: it ended early or has no verdict. */
type Step = Outcome | 'return' | 'next'

/** The kernel's part, played on the automaton itself. */
export class Simulator {
  readonly #automaton: Automaton
  readonly #chains: ReadonlyMap<string, Chain>
  readonly #timeouts: ReadonlyMap<
    string,
    { timeout: number; capacity: number; key: readonly KeyField[] }
  >
  readonly #trusted: ReadonlyMap<string, readonly Cidr[]>
  /** By set and family, the time at which each key expires. */
  readonly #elements = new Map<string, Map<string, number>>()
  readonly #counters = new Map<string, number>()

  constructor(automaton: Automaton) {
    this.#automaton = automaton
    this.#chains = new Map(automaton.chains.map((chain) => [chain.name, chain]))
    this.#timeouts = new Map(automaton.sets.map((set) => [set.name, set]))
    this.#trusted = new Map(automaton.addressSets.map((set) => [set.name, set.addresses]))
  }

  /** Judges one packet. */
  receive(packet: Packet): Outcome {
    const verdict = this.#walk(this.#automaton.chains[0] as Chain, packet)
    return verdict === 'drop' ? 'drop' : 'accept'
  }

  /** The live elements of a set, in the order in which they came. */
  members(set: string, at: number): Member[] {
    return ([4, 6] as const).flatMap((family) =>
      [...this.#of(set, family)]
        .filter(([, expiry]) => expiry > at)
        .map(([key, expiry]) => ({ set, family, key, expiresIn: expiry - at })),
    )
  }

  /** What was counted so far under a counter's name. */
  counter(name: string): number {
    return this.#counters.get(name) ?? 0
  }

  #walk(chain: Chain, packet: Packet): Step {
    for (const rule of chain.rules) {
      const step = this.#apply(rule, packet)
      if (step !== 'next') return step
    }
    return 'return'
  }

  #apply(rule: Rule, packet: Packet): Step {
    if (rule.families && !rule.families.includes(familyOf(packet))) return 'next'
    if (!rule.when.every((match) => this.#holds(match, packet))) return 'next'
    for (const action of rule.then ?? []) {
      if (!this.#act(action, packet)) return 'next'
    }
    return rule.verdict ? this.#follow(rule.verdict, packet) : 'next'
  }

  #follow(verdict: Verdict, packet: Packet): Step {
    switch (verdict.kind) {
      case 'accept':
      case 'drop':
      case 'return':
        return verdict.kind
      case 'goto':
        return this.#walk(this.#chain(verdict.chain), packet)
      case 'jump': {
        const step = this.#walk(this.#chain(verdict.chain), packet)
        return step === 'return' ? 'next' : step
      }
      case 'dispatch': {
        const { protocol, port } = packet
        const entry = this.#automaton.maps
          .find(({ name }) => name === verdict.map)
          ?.entries.find(
            ({ protocol: p, ports }) =>
              p === protocol && port !== undefined && ports.from <= port && port <= ports.to,
          )
        return entry ? this.#follow(entry.verdict, packet) : 'next'
      }
    }
  }

  #chain(name: string): Chain {
    const chain = this.#chains.get(name)
    if (!chain) throw new Error(`unreachable: no chain ${name}`)
    return chain
  }

  #holds(match: Match, packet: Packet): boolean {
    const { protocol, port, source, destination, length = 0 } = packet
    switch (match.kind) {
      case 'in':
        return this.#has(match.set, packet)
      case 'not-in':
        return !this.#has(match.set, packet)
      case 'state':
        return match.states.includes(packet.state ?? 'new')
      case 'protocol':
        return match.protocols.some((name) => name === ipProtocol(packet))
      case 'port':
        return match.protocol === protocol && match.port === port
      case 'flags':
        return (
          protocol === 'tcp' &&
          ((packet.flags ?? SYN.value) & match.flags.mask) === match.flags.value
        )
      case 'length':
        return match.of === protocol && match.length === length
      case 'echo-request':
        return protocol === 'icmp'
      case 'source':
        return match.addresses.some((cidr) => cidrContains(cidr, source))
      case 'destination': {
        const inside = match.addresses.some(
          (cidr) => destination !== undefined && cidrContains(cidr, destination),
        )
        return inside !== (match.not ?? false)
      }
      case 'loopback':
        return packet.interface === 'lo'
      case 'own-connection':
        return packet.connected ?? false
      case 'interface': {
        const name = packet.interface ?? ''
        return match.names.some((pattern) => fits(pattern, name)) !== (match.not ?? false)
      }
    }
  }

  #has(set: string, packet: Packet): boolean {
    const addresses = this.#trusted.get(set)
    if (addresses) return addresses.some((cidr) => cidrContains(cidr, packet.source))
    const expiry = this.#of(set, familyOf(packet)).get(this.#key(set, packet))
    return expiry !== undefined && expiry > packet.at
  }

  /** Does one action; false where a set is full, which ends the rule. */
  #act(action: Action, packet: Packet): boolean {
    if (action.op === 'count') {
      this.#counters.set(action.counter, this.counter(action.counter) + 1)
      return true
    }
    const { set, op } = action
    const elements = this.#of(set, familyOf(packet))
    const key = this.#key(set, packet)
    if (op === 'delete') {
      elements.delete(key)
      return true
    }
    const { timeout, capacity } = this.#set(set)
    const expiry = elements.get(key)
    const isThere = expiry !== undefined && expiry > packet.at
    if (isThere && op === 'add') return true
    for (const [other, end] of elements) {
      if (end <= packet.at) elements.delete(other)
    }
    if (!isThere && elements.size >= capacity) return false
    elements.set(key, packet.at + timeout)
    return true
  }

  #set(name: string) {
    const set = this.#timeouts.get(name)
    if (!set) throw new Error(`unreachable: no set ${name}`)
    return set
  }

  #key(set: string, { source, sourcePort = 0, port = 0 }: Packet): string {
    const fields = { source, sourcePort, port }
    return this.#set(set)
      .key.map((field) => fields[field])
      .join(' . ')
  }

  #of(set: string, family: Family): Map<string, number> {
    const name = `${set}_${family}`
    const found = this.#elements.get(name) ?? new Map<string, number>()
    this.#elements.set(name, found)
    return found
  }
}

const familyOf = ({ source }: Packet): Family => (source.includes(':') ? 6 : 4)

const ipProtocol = (packet: Packet): string =>
  packet.protocol === 'icmp' && familyOf(packet) === 6 ? 'icmpv6' : packet.protocol

const fits = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
