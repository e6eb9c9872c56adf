// An automaton and packets with their times → what becomes of each packet, and who is where. Pure: time comes with the packets.
import { cidrContains } from '../spec/address.js'
import { TOKEN_LENGTH } from '../spec/derive.js'
import type { Cidr, Family, PortRange } from '../spec/model.js'
import { NUMBER, type ProtocolNumber } from '../spec/protocol.js'
import { SYN } from '../spec/step.js'
import {
  type Action,
  type Automaton,
  type Base,
  type Chain,
  type IpProtocol,
  isPerFamily,
  type Match,
  type Rule,
  type State,
  type TimedSet,
  type Verdict,
} from './automaton.js'
import type { Loads, PortPeriod } from './loads.js'
import { parseTold, type Told } from './told.js'

/** One packet as it comes in. */
export interface Packet {
  /** Seconds since any moment, since 1970 where keys or ports depend on the time; never less than the packet's before. */
  readonly at: number
  /** An address in canonical text; it says the family. */
  readonly source: string
  /** Default: an address that no door names. */
  readonly destination?: string
  /** `icmp` is an echo request, of either family. A number is IANA's: 1 and 58 are any other ICMP. */
  readonly protocol: 'tcp' | 'udp' | 'icmp' | ProtocolNumber
  readonly port?: number
  readonly sourcePort?: number
  /** TCP's sequence number: the same again is the same packet sent again. Default: 0. */
  readonly sequence?: number
  /** The TCP flags as a byte (RFC 9293). Default: SYN. */
  readonly flags?: number
  /** Bytes of payload. Default: the payload's, or 0. */
  readonly length?: number
  /** The payload itself, in hex digits. Default: none that matters. */
  readonly payload?: string
  /** The interface it comes in on. Default: one that is not loopback. */
  readonly interface?: string
  /** Whether the host has the TCP connection to which it belongs. Default: false. */
  readonly connected?: boolean
  /** What conntrack calls it. Default: new. */
  readonly state?: State
  /** Whether it comes from the side that answered its connection. Default: false. */
  readonly isReply?: boolean
  /**
   * What it is a fragment of: `first` has all headers, `bare` is a first one that may lack some, `second` is from the
   * ninth byte on, `later` from further behind. Default: none, the packet is whole.
   */
  readonly fragment?: 'first' | 'bare' | 'second' | 'later'
  /** Whether its transport header cannot be found, of IPv6. Default: false. */
  readonly unreadable?: boolean
}

/** A packet on its way through the chains: a redirect changes its port. */
interface Travelling extends Packet {
  readonly sentTo?: number | undefined
}

export interface Member {
  readonly set: string
  readonly family: Family
  readonly key: string
  /** Seconds that it still lives. */
  readonly expiresIn: number
}

/** What the kernel tells of a packet. */
export interface Telling extends Told {
  readonly at: number
  readonly source: string
}

type Outcome = 'accept' | 'drop'
/** What a rule leads to; `next`: it ended early or has no verdict. */
type Step = Outcome | 'return' | 'next' | Extract<Verdict, { kind: 'redirect' }>

/** How many packets a rate would let on at a time. */
interface Bucket {
  readonly packets: number
  readonly since: number
}

/** The kernel's part, played on the automaton itself. */
export class Simulator {
  readonly #automaton: Automaton
  readonly #chains: ReadonlyMap<string, Chain>
  readonly #sets: ReadonlyMap<string, TimedSet>
  readonly #trusted: ReadonlyMap<string, readonly Cidr[]>
  readonly #ports: ReadonlyMap<string, ReadonlySet<number>>
  readonly #periods = new Map<string, readonly PortPeriod[]>()
  /** By set and family, the time at which each key expires. */
  readonly #elements = new Map<string, Map<string, number>>()
  readonly #counters = new Map<string, number>()
  readonly #tellings: Telling[] = []
  readonly #rates = new WeakMap<Match, Bucket>()

  constructor(automaton: Automaton) {
    this.#automaton = automaton
    this.#chains = new Map(automaton.chains.map((chain) => [chain.name, chain]))
    this.#sets = new Map(automaton.sets.map((set) => [set.name, set]))
    this.#ports = new Map(automaton.portSets.map((set) => [set.name, new Set(set.ports)]))
    for (const { name } of automaton.periodSets) this.#periods.set(name, [])
    this.#trusted = new Map(automaton.addressSets.map((set) => [set.name, set.addresses]))
  }

  /** Fills the sets whose contents are derived from secrets; what was in them is gone. */
  load({ tokens, ports }: Loads): void {
    for (const { set, tokens: loaded } of tokens) {
      this.#elements.set(set, new Map(loaded.map(({ token, until }) => [token, until])))
    }
    for (const { set, periods } of ports) this.#periods.set(set, periods)
  }

  /** Judges one packet. */
  receive(packet: Packet): Outcome {
    let travelling: Travelling = packet
    const { interface: name = this.#device } = packet
    for (const chain of this.#automaton.chains) {
      if (!chain.base || !comesTo(chain.base, { ...packet, ...(name && { interface: name }) })) {
        continue
      }
      const step = this.#walk(chain, travelling)
      if (step === 'drop') return 'drop'
      if (typeof step !== 'object') continue
      // To another host: it is not this one's any more.
      if (step.to.address !== undefined) return 'accept'
      travelling = { ...packet, port: step.to.port, sentTo: packet.port }
    }
    return 'accept'
  }

  /** The live elements of a set, in the order in which they came. */
  members(set: string, at: number): Member[] {
    const families = isPerFamily(this.#set(set)) ? ([4, 6] as const) : ([4] as const)
    return families.flatMap((family) =>
      [...this.#of(set, family)]
        .filter(([, expiry]) => expiry > at)
        .map(([key, expiry]) => ({ set, family, key, expiresIn: expiry - at })),
    )
  }

  /** The first device of a table at ingress: packets come in there that don't say where. */
  get #device(): string | undefined {
    return this.#automaton.chains.find(({ base }) => base)?.base?.device
  }

  /** What was counted so far under a counter's name. */
  counter(name: string): number {
    return this.#counters.get(name) ?? 0
  }

  /** What was told so far, in the order in which it happened. */
  tellings(): readonly Telling[] {
    return this.#tellings
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
      case 'dispatch': {
        const { protocol, port } = packet
        if (!hasPorts(packet)) return 'next'
        const entry = this.#automaton.maps
          .find(({ name }) => name === verdict.map)
          ?.entries.find(({ protocol: p, ports }) => p === protocol && isWithin(port, ports))
        return entry ? this.#follow(entry.verdict, packet) : 'next'
      }
    }
  }

  #chain(name: string): Chain {
    const chain = this.#chains.get(name)
    if (!chain) throw new Error(`unreachable: no chain ${name}`)
    return chain
  }

  #holds(match: Match, packet: Travelling): boolean {
    const { protocol, port, source, destination, sentTo } = packet
    const length = packet.length ?? (packet.payload?.length ?? 0) / 2
    switch (match.kind) {
      case 'in':
        return this.#has(match.set, packet)
      case 'not-in':
        return !this.#has(match.set, packet)
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
      case 'echo-request':
        return hasPorts(packet) && protocol === 'icmp'
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
      case 'within-rate':
        return this.#isWithinRate(match, packet.at)
    }
  }

  /** The kernel's bucket: full at first, it takes a packet for each time that one is due, and holds as many as a second's. */
  #isWithinRate(match: Extract<Match, { kind: 'within-rate' }>, at: number): boolean {
    const { rate } = match
    const { packets, since } = this.#rates.get(match) ?? { packets: rate, since: at }
    const now = Math.min(rate, packets + (at - since) * rate)
    const isWithin = now >= 1
    this.#rates.set(match, { packets: isWithin ? now - 1 : now, since: at })
    return isWithin
  }

  #has(set: string, packet: Packet): boolean {
    const periods = this.#periods.get(set)
    if (periods) {
      return periods.some(
        ({ protocol, port, from, to }) =>
          hasPorts(packet) &&
          protocol === packet.protocol &&
          port === packet.port &&
          from <= packet.at &&
          packet.at <= to,
      )
    }
    const ports = this.#ports.get(set)
    if (ports && !hasPorts(packet)) return false
    if (ports) return packet.port !== undefined && ports.has(packet.port)
    const addresses = this.#trusted.get(set)
    if (addresses) return addresses.some((cidr) => cidrContains(cidr, packet.source))
    const expiry = this.#of(set, familyOf(packet)).get(this.#key(set, packet))
    return expiry !== undefined && expiry > packet.at
  }

  /** Does one action; false where a set is full, which ends the rule. */
  #act(action: Action, packet: Packet): boolean {
    if (action.op === 'mark') return true
    if (action.op === 'tell') {
      const { table: _, ...told } = parseTold(action.prefix) as Told & { table: string }
      this.#tellings.push({ at: packet.at, source: packet.source, ...told })
      return true
    }
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
    if (isThere && (op === 'add' || op === 'claim')) return op === 'add'
    if (isThere && op === 'meet') {
      elements.set(key, packet.at + (timeout ?? Number.POSITIVE_INFINITY))
      return false
    }
    for (const [other, end] of elements) {
      if (end <= packet.at) elements.delete(other)
    }
    if (!isThere && elements.size >= capacity) return false
    elements.set(key, packet.at + (timeout ?? Number.POSITIVE_INFINITY))
    return true
  }

  #set(name: string) {
    const set = this.#sets.get(name)
    if (!set) throw new Error(`unreachable: no set ${name}`)
    return set
  }

  #key(set: string, packet: Packet): string {
    const {
      source,
      destination = '',
      sourcePort = 0,
      port = 0,
      sequence = 0,
      payload = '',
    } = packet
    const token = payload.slice(0, 2 * TOKEN_LENGTH).toLowerCase()
    const fields = { source, destination, sourcePort, port, sequence, all: 'all', token }
    return this.#set(set)
      .key.map((field) => fields[field])
      .join(' . ')
  }

  #of(set: string, family: Family): Map<string, number> {
    const name = isPerFamily(this.#set(set)) ? `${set}_${family}` : set
    const found = this.#elements.get(name) ?? new Map<string, number>()
    this.#elements.set(name, found)
    return found
  }
}

/** Whether a packet comes by a base chain: at ingress it does by its device's, in a nat chain when it begins something. */
function comesTo({ type, device }: Base, packet: Packet): boolean {
  if (type === 'nat' && (packet.state ?? 'new') !== 'new') return false
  return device === undefined || packet.interface === device
}

/** Whether it has the beginning of its transport header, and that can be found. */
const hasPorts = ({ fragment, ...packet }: Packet): boolean =>
  !isUnreadable(packet) && fragment !== 'second' && fragment !== 'later'

/** An IPv4 header always leads to the transport's. */
const isUnreadable = ({ source, unreadable = false }: Packet): boolean =>
  unreadable && source.includes(':')

function isPiece({ fragment }: Packet, part: Extract<Match, { kind: 'piece' }>['part']): boolean {
  switch (part) {
    case 'any':
      return fragment !== undefined
    case 'none':
      return fragment === undefined
    case 'header':
      return fragment === 'second'
    case 'later':
      return fragment === 'second' || fragment === 'later'
    case 'bare':
      return fragment === 'bare'
  }
}

const isWithin = (port: number | undefined, { from, to }: PortRange): boolean =>
  port !== undefined && from <= port && port <= to

const familyOf = ({ source }: Packet): Family => (source.includes(':') ? 6 : 4)

const numberOf = (protocol: IpProtocol): ProtocolNumber =>
  typeof protocol === 'number' ? protocol : NUMBER[protocol]

const ipProtocol = (packet: Packet): IpProtocol =>
  packet.protocol === 'icmp' && familyOf(packet) === 6 ? 'icmpv6' : packet.protocol

const fits = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
