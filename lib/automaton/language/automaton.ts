// The language that every kind of knock compiles to: timed sets, and rules in chains. Types and
// small constructors, pure.
//
// It knows no address family: a rule that touches an address becomes one nft rule for IPv4 and one
// for IPv6, and a set becomes one set for each. The simulator interprets this form, the renderer
// prints it.
import type {
  Cidr,
  Family,
  Hook,
  PortRange,
  RedirectTarget,
  TcpFlags,
  ValidSpec,
} from '../../spec/model/model.js'
import type { NUMBER, ProtocolNumber } from '../../spec/model/protocol.js'
import type { Logged } from './log-prefix.js'
import type { AttemptSummary, DoorSummary } from './summary.js'

/**
 * A packet field that can be part of a set's key; `all` is the same for all packets, `token` a
 * payload's first 16 bytes. `sequence` is a digest of TCP's sequence number: rules can add and
 * delete such keys, and cannot look them up.
 */
export type KeyField =
  | 'source'
  | 'destination'
  | 'sourcePort'
  | 'port'
  | 'sequence'
  | 'all'
  | 'token'

/** Keys that live for a while. Full, it refuses new keys: the rule that adds one stops there. */
export interface TimedSet {
  readonly name: string
  readonly key: readonly KeyField[]
  /** Seconds; without it elements have each a time of their own, or stay. */
  readonly timeout?: number
  /**
   * Whether the rules that add an element give it that time: the set can then stay with its
   * elements where the time changes, and its own is that of what is added by hand.
   */
  readonly perElement?: true
  /** The most elements, of each family where the key has an address. */
  readonly capacity: number
}

/** Whether there is one such set for IPv4 and one for IPv6: others know no addresses. */
export const isPerFamily = ({ key }: Pick<TimedSet, 'key'>): boolean => key.includes('source')

/** Ports that are each meant in a time of their own; loaded when the table is made. */
export interface PeriodSet {
  readonly name: string
}

/** Source addresses that never change while the table stands. */
export interface AddressSet {
  readonly name: string
  readonly addresses: readonly Cidr[]
}

/** Ports that never change, of whatever protocol. */
export interface PortSet {
  readonly name: string
  readonly ports: readonly number[]
}

/** conntrack's word for a packet. */
export type State = 'new' | 'established' | 'related' | 'invalid' | 'untracked'

/** By a word, or by IANA's number of one that has none here. */
export type IpProtocol = keyof typeof NUMBER | ProtocolNumber

/** One condition on a packet or on the sets. */
export type Match =
  | { readonly kind: 'in' | 'not-in'; readonly set: string }
  | { readonly kind: 'state'; readonly states: readonly State[] }
  /** With `not`: packets of others; one whose protocol cannot be read fits neither way. */
  | { readonly kind: 'protocol'; readonly protocols: readonly IpProtocol[]; readonly not?: true }
  | { readonly kind: 'port'; readonly protocol: 'tcp' | 'udp'; readonly ports: PortRange }
  /** With `not`: TCP packets that have other flags. */
  | { readonly kind: 'flags'; readonly flags: TcpFlags; readonly not?: true }
  /** Bytes of payload behind the UDP or the echo request's header. */
  | { readonly kind: 'length'; readonly of: 'udp' | 'icmp'; readonly length: number }
  | { readonly kind: 'echo-request' }
  | { readonly kind: 'source'; readonly addresses: readonly Cidr[] }
  | { readonly kind: 'destination'; readonly addresses: readonly Cidr[]; readonly not?: true }
  | { readonly kind: 'loopback' }
  /**
   * That it is a piece of a packet: any; one from the ninth byte on, so that TCP flags are in it
   * and ports are not; a later one than the first; one, looked at where it is the first, that may
   * lack what its packet is judged by. `none`: that the packet is whole.
   */
  | { readonly kind: 'piece'; readonly part: 'any' | 'none' | 'header' | 'later' | 'bare' }
  /**
   * That the packet was read to its transport header: no header in between is one that a host may
   * skip and this kernel does not.
   */
  | { readonly kind: 'transport-header' }
  /**
   * Looked at where that is not so: that the header which was found says that nothing follows it.
   */
  | { readonly kind: 'no-more-headers' }
  /** That the packet comes from the side that began its connection. */
  | { readonly kind: 'original-direction' }
  /** That the connection was redirected, and to which port its first packet was sent. */
  | { readonly kind: 'redirected'; readonly from: readonly PortRange[] }
  /**
   * That this host itself has the TCP connection to which the packet belongs, whatever conntrack
   * knows of it.
   */
  | { readonly kind: 'own-connection' }
  | { readonly kind: 'interface'; readonly names: readonly string[]; readonly not?: true }
  /** That no more packets have come to this rule than so many in a second, and as many at once. */
  | { readonly kind: 'within-rate'; readonly rate: number }

/**
 * `add` leaves an element that is there alone, `update` inserts it or restarts its time, `delete`
 * removes it, `claim` adds one that nobody has added before, not even at the same moment. `meet` is
 * a claim that restarts the time of an element that is there. The actions of a rule run in order;
 * one that meets a full set, or a claim that comes second, ends the rule, and the next rule is
 * tried.
 */
export type Action =
  | { readonly op: 'add' | 'update' | 'delete' | 'claim' | 'meet'; readonly set: string }
  | { readonly op: 'count'; readonly counter: string }
  /** Sets the packet's mark. */
  | { readonly op: 'mark'; readonly value: number }
  /** Gives the packet to whoever reads the NFLOG group. */
  | { readonly op: 'log'; readonly group: number; readonly prefix: string }

export type Verdict =
  /** `reset` drops a TCP packet and answers with a reset. */
  | { readonly kind: 'accept' | 'drop' | 'return' | 'reset' }
  /** Sends the connection elsewhere; in chains of type nat. */
  | { readonly kind: 'redirect'; readonly to: RedirectTarget }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /**
   * Looks the packet's protocol and destination port up in a map; goes on where they are not in it.
   */
  | { readonly kind: 'dispatch'; readonly map: string }

export interface Rule {
  /** Default: both. */
  readonly families?: readonly Family[]
  readonly when: readonly Match[]
  readonly then?: readonly Action[]
  /** Without one the next rule is tried. */
  readonly verdict?: Verdict
  /**
   * The event to log when the packet gets to the verdict. A finished automaton has none: its chains
   * log it.
   */
  readonly logs?: Logged
  /**
   * For people: the door and the part of the spec that this rule comes from, and what it is for.
   */
  readonly comment: string
}

/** Where a chain stands in a packet's way. */
export interface Base {
  readonly type: 'filter' | 'nat'
  readonly hook: Hook
  readonly priority: number
  /** Of ingress. */
  readonly device?: string
}

export interface Chain {
  readonly name: string
  /**
   * Of base chains: packets come to these by themselves, and one that gets to the end is accepted.
   */
  readonly base?: Base
  readonly rules: readonly Rule[]
}

export interface DispatchEntry {
  readonly protocol: 'tcp' | 'udp'
  /** In a map a single one. */
  readonly ports: PortRange
  readonly verdict: Verdict
}

/** From protocol and destination port to a verdict, at a cost that does not grow with its size. */
export interface DispatchMap {
  readonly name: string
  readonly entries: readonly DispatchEntry[]
}

export interface Automaton {
  readonly table: string
  readonly sets: readonly TimedSet[]
  readonly periodSets: readonly PeriodSet[]
  readonly addressSets: readonly AddressSet[]
  readonly portSets: readonly PortSet[]
  readonly counters: readonly string[]
  readonly maps: readonly DispatchMap[]
  /** Base chains come first, in the order in which packets pass them. */
  readonly chains: readonly Chain[]
  readonly doors: readonly DoorSummary[]
  /** Of each knock what an attempt under way depends on. */
  readonly attempts: readonly AttemptSummary[]
  /** The NFLOG group to which the chains log; absent: none. */
  readonly logGroup?: number
  /** Where packets are judged, if the spec names interfaces. */
  readonly place?: Pick<ValidSpec, 'hook' | 'interfaces'>
}

export const ACCEPT: Verdict = { kind: 'accept' }
export const DROP: Verdict = { kind: 'drop' }
export const RETURN: Verdict = { kind: 'return' }
export const RESET: Verdict = { kind: 'reset' }
export const jump = (chain: string): Verdict => ({ kind: 'jump', chain })
export const goTo = (chain: string): Verdict => ({ kind: 'goto', chain })
export const dispatch = (map: string): Verdict => ({ kind: 'dispatch', map })

export const inSet = (set: string): Match => ({ kind: 'in', set })
export const notInSet = (set: string): Match => ({ kind: 'not-in', set })
export const stateIs = (...states: State[]): Match => ({ kind: 'state', states })

export const add = (set: string): Action => ({ op: 'add', set })
export const update = (set: string): Action => ({ op: 'update', set })
export const remove = (set: string): Action => ({ op: 'delete', set })
export const claim = (set: string): Action => ({ op: 'claim', set })
export const meet = (set: string): Action => ({ op: 'meet', set })
export const count = (counter: string): Action => ({ op: 'count', counter })

export const onPort = (protocol: 'tcp' | 'udp', ports: number | PortRange): Match => ({
  kind: 'port',
  protocol,
  ports: rangeOf(ports),
})

const rangeOf = (ports: number | PortRange): PortRange =>
  typeof ports === 'number' ? { from: ports, to: ports } : ports

export const entryOf = (
  protocol: 'tcp' | 'udp',
  ports: number | PortRange,
  verdict: Verdict,
): DispatchEntry => ({
  protocol,
  ports: rangeOf(ports),
  verdict,
})
