// The language that every kind of knock compiles to: timed sets, and rules in chains. Types and small constructors, pure.
//
// It knows no address family: a rule that touches an address becomes one nft rule for IPv4 and one for IPv6,
// and a set becomes one set for each. The simulator interprets this form, the renderer prints it.
import type { Cidr, Family, PortRange, TcpFlags } from '../spec/model.js'

/** A packet field that can be part of a set's key. */
export type KeyField = 'source' | 'sourcePort' | 'port'

/** Keys that live for a while. Full, it refuses new keys: the rule that adds one stops there. */
export interface TimedSet {
  readonly name: string
  readonly key: readonly KeyField[]
  /** Seconds. */
  readonly timeout: number
  /** The most elements, of each family. */
  readonly capacity: number
}

/** Source addresses that never change while the table stands. */
export interface AddressSet {
  readonly name: string
  readonly addresses: readonly Cidr[]
}

/** conntrack's word for a packet. */
export type State = 'new' | 'established' | 'related' | 'invalid'

export type IpProtocol = 'tcp' | 'udp' | 'icmp' | 'icmpv6' | 'igmp'

/** One condition on a packet or on the sets. */
export type Match =
  | { readonly kind: 'in' | 'not-in'; readonly set: string }
  | { readonly kind: 'state'; readonly states: readonly State[] }
  | { readonly kind: 'protocol'; readonly protocols: readonly IpProtocol[] }
  | { readonly kind: 'port'; readonly protocol: 'tcp' | 'udp'; readonly port: number }
  | { readonly kind: 'flags'; readonly flags: TcpFlags }
  /** Bytes of payload behind the UDP or the echo request's header. */
  | { readonly kind: 'length'; readonly of: 'udp' | 'icmp'; readonly length: number }
  | { readonly kind: 'echo-request' }
  | { readonly kind: 'source'; readonly addresses: readonly Cidr[] }
  | { readonly kind: 'destination'; readonly addresses: readonly Cidr[]; readonly not?: true }
  | { readonly kind: 'loopback' }
  /** That this host itself has the TCP connection to which the packet belongs, whatever conntrack knows of it. */
  | { readonly kind: 'own-connection' }
  | { readonly kind: 'interface'; readonly names: readonly string[]; readonly not?: true }

/**
 * `add` leaves an element that is there alone, `update` inserts it or restarts its time, `delete` removes it.
 * The actions of a rule run in order; one that meets a full set ends the rule, and the next rule is tried.
 */
export type Action =
  | { readonly op: 'add' | 'update' | 'delete'; readonly set: string }
  | { readonly op: 'count'; readonly counter: string }

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** Looks the packet's protocol and destination port up in a map; goes on where they are not in it. */
  | { readonly kind: 'dispatch'; readonly map: string }

export interface Rule {
  /** Default: both. */
  readonly families?: readonly Family[]
  readonly when: readonly Match[]
  readonly then?: readonly Action[]
  /** Without one the next rule is tried. */
  readonly verdict?: Verdict
  /** For people: the door and the part of the spec that this rule comes from, and what it is for. */
  readonly comment: string
}

export interface Chain {
  readonly name: string
  readonly rules: readonly Rule[]
}

export interface DispatchEntry {
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
  readonly verdict: Verdict
}

/** From protocol and destination port to a verdict, at a cost that does not grow with its size. */
export interface DispatchMap {
  readonly name: string
  /** Whether its entries are ranges. */
  readonly interval: boolean
  readonly entries: readonly DispatchEntry[]
}

/** What a table says of a door, so that it can be read back without the spec. */
export interface DoorSummary {
  readonly name: string
  readonly services: readonly string[]
  /** How many knocks open it. */
  readonly steps: number
  /** Seconds that a grant lasts. */
  readonly grantTimeout: number
  readonly connections: number | undefined
}

export interface Automaton {
  readonly table: string
  readonly sets: readonly TimedSet[]
  readonly addressSets: readonly AddressSet[]
  readonly counters: readonly string[]
  readonly maps: readonly DispatchMap[]
  /** The first is the base chain: the packet's way begins there, and a packet that comes to its end is accepted. */
  readonly chains: readonly Chain[]
  readonly doors: readonly DoorSummary[]
}

export const ACCEPT: Verdict = { kind: 'accept' }
export const DROP: Verdict = { kind: 'drop' }
export const RETURN: Verdict = { kind: 'return' }
export const jump = (chain: string): Verdict => ({ kind: 'jump', chain })
export const goTo = (chain: string): Verdict => ({ kind: 'goto', chain })
export const dispatch = (map: string): Verdict => ({ kind: 'dispatch', map })

export const inSet = (set: string): Match => ({ kind: 'in', set })
export const notInSet = (set: string): Match => ({ kind: 'not-in', set })
export const stateIs = (...states: State[]): Match => ({ kind: 'state', states })

export const add = (set: string): Action => ({ op: 'add', set })
export const update = (set: string): Action => ({ op: 'update', set })
export const remove = (set: string): Action => ({ op: 'delete', set })
export const count = (counter: string): Action => ({ op: 'count', counter })

export const entryOf = (
  protocol: 'tcp' | 'udp',
  ports: number | PortRange,
  verdict: Verdict,
): DispatchEntry => ({
  protocol,
  ports: typeof ports === 'number' ? { from: ports, to: ports } : ports,
  verdict,
})
