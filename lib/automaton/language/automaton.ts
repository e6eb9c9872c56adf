// The language to which every kind of knock compiles: timed sets, and rules in chains. Types and
// small constructors, pure.
//
// It has no address families: the renderer makes one rule of nft for IPv4 and one for IPv6 if a
// rule looks at addresses, and one set for each. The simulator interprets this form directly.
import type { Hook, ValidSpec } from '../../spec/model/model.js'
import type {
  Cidr,
  Family,
  PortRange,
  Prefix,
  RedirectTarget,
  TcpFlags,
} from '../../spec/model/packet-model.js'
import type { NUMBER, ProtocolNumber } from '../../spec/model/protocol.js'
import type { Logged } from './log-prefix.js'
import type { AddressSet, DataMap, PeriodSet, PortSet, TimedSet } from './sets.js'
import type { AttemptSummary, DoorSummary } from './summary.js'

/** conntrack's state of a packet. */
export type State = 'new' | 'established' | 'related' | 'invalid' | 'untracked'

/** A protocol by its name, or by IANA's number if it has no name here. */
export type IpProtocol = keyof typeof NUMBER | ProtocolNumber

/** One condition on a packet or on the sets. */
export type Match =
  | { readonly kind: 'in' | 'not-in'; readonly set: string; readonly constant?: number }
  | { readonly kind: 'state'; readonly states: readonly State[] }
  /**
   * With `not`: packets of other protocols. A packet whose protocol cannot be read matches neither.
   */
  | { readonly kind: 'protocol'; readonly protocols: readonly IpProtocol[]; readonly not?: true }
  | { readonly kind: 'port'; readonly protocol: 'tcp' | 'udp'; readonly ports: PortRange }
  /** With `not`: TCP packets with other flags. */
  | { readonly kind: 'flags'; readonly flags: TcpFlags; readonly not?: true }
  /** Bytes of payload behind the header of UDP or of the echo request. */
  | { readonly kind: 'length'; readonly of: 'udp' | 'icmp'; readonly length: number }
  /**
   * UDP's payload has these bytes from its byte `at` on, in hex digits. `not`: others are there.
   */
  | { readonly kind: 'bytes'; readonly at: number; readonly bytes: string; readonly not?: true }
  | { readonly kind: 'echo-request' }
  | { readonly kind: 'source'; readonly addresses: readonly Cidr[]; readonly not?: true }
  | { readonly kind: 'destination'; readonly addresses: readonly Cidr[]; readonly not?: true }
  | { readonly kind: 'loopback' }
  /**
   * The packet is a fragment: `any`; `header`, which begins at the ninth byte, so that it has the
   * TCP flags and no ports; `later`, any but the first; `bare`, a first one (the rules before have
   * removed others) that may lack what is matched. `none`: the packet is whole.
   */
  | { readonly kind: 'piece'; readonly part: 'any' | 'none' | 'header' | 'later' | 'bare' }
  /**
   * The transport header was found: no header before it is one that a host may skip and this kernel
   * does not.
   */
  | { readonly kind: 'transport-header' }
  /** Used if it was not found: the header that was found says that nothing follows. */
  | { readonly kind: 'no-more-headers' }
  /** The packet comes from the side that began its connection. */
  | { readonly kind: 'original-direction' }
  /** The connection was redirected, and its first packet was sent to one of these ports. */
  | { readonly kind: 'redirected'; readonly from: readonly PortRange[] }
  /** This host has a socket for the packet's TCP connection, whatever conntrack knows. */
  | { readonly kind: 'own-connection' }
  | { readonly kind: 'interface'; readonly names: readonly string[]; readonly not?: true }
  /** The packet has a mark other than 0. */
  | { readonly kind: 'marked' }
  /** No more than `rate` packets per second have come to this rule, and `burst` at once. */
  | { readonly kind: 'within-rate'; readonly rate: number; readonly burst: number }

/**
 * `add` does not change an existing element. `update` adds it or restarts its time. `delete`
 * removes it. `claim` adds one that nobody has added before, not even at the same moment. `meet` is
 * a claim that restarts the time of an existing element. The actions of a rule run in order. A full
 * set, or a claim that comes second, ends the rule, and the next rule is tried.
 */
export type Action =
  | {
      readonly op: 'add' | 'update' | 'delete' | 'claim' | 'meet'
      readonly set: string
      /** The part of the key that is not from the packet. */
      readonly constant?: number
      /** Seconds, if not all elements of the set have the same timeout. */
      readonly timeout?: number
    }
  /** Sets the mark to what a map remembers for the packet's key. The rule ends if there is none. */
  | { readonly op: 'recall'; readonly set: string }
  /** Sets the mark, or the destination port, to what a constant map has for the packet. */
  | { readonly op: 'look-up'; readonly map: string }
  /** Sets the stage in the packet's mark. */
  | { readonly op: 'stage'; readonly stage: number }
  | { readonly op: 'count'; readonly counter: string }
  /** Sets the packet's mark. */
  | { readonly op: 'mark'; readonly value: number }
  /** Sends the packet to the readers of an NFLOG group. */
  | { readonly op: 'log'; readonly group: number; readonly prefix: string }

export type Verdict =
  /** `reset` drops a TCP packet and answers with a reset. */
  | { readonly kind: 'accept' | 'drop' | 'return' | 'reset' }
  /** Sends the connection elsewhere; only in chains of type nat. */
  | { readonly kind: 'redirect'; readonly to: RedirectTarget }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /**
   * Looks the packet's protocol and destination port up in a map. If there is no entry, the next
   * rule is tried. `move`: the same for a map that is keyed by the packet's mark, too.
   */
  | { readonly kind: 'dispatch' | 'move'; readonly map: string }

export interface Rule {
  /** Default: both families. */
  readonly families?: readonly Family[]
  readonly when: readonly Match[]
  readonly then?: readonly Action[]
  /** Without a verdict the next rule is tried. */
  readonly verdict?: Verdict
  /**
   * The event to log when a packet reaches the verdict. A finished automaton has none of these,
   * since `logAll` has made chains of them.
   */
  readonly logs?: Logged
  /**
   * Text for people: the door, the JSON Pointer of the part that this rule comes from, and the
   * purpose.
   */
  readonly comment: string
}

/** The hook and priority of a base chain. */
export interface Base {
  readonly type: 'filter' | 'nat'
  readonly hook: Hook
  readonly priority: number
  /** At ingress. */
  readonly device?: string
}

export interface Chain {
  readonly name: string
  /**
   * Present for base chains: the kernel gives them packets, and accepts a packet that reaches the
   * end.
   */
  readonly base?: Base
  readonly rules: readonly Rule[]
}

export interface DispatchEntry {
  readonly protocol: 'tcp' | 'udp'
  /** In a map this is a single port. */
  readonly ports: PortRange
  readonly verdict: Verdict
}

/** A map from protocol and destination port to a verdict. Its cost does not grow with its size. */
export interface DispatchMap {
  readonly name: string
  readonly entries: readonly DispatchEntry[]
}

/** A map from the packet's mark, protocol and destination port to a verdict. */
export interface MoveMap {
  readonly name: string
  readonly entries: readonly (DispatchEntry & { readonly mark: number })[]
}

export interface Automaton {
  readonly table: string
  readonly sets: readonly TimedSet[]
  readonly periodSets: readonly PeriodSet[]
  readonly addressSets: readonly AddressSet[]
  readonly portSets: readonly PortSet[]
  readonly counters: readonly string[]
  readonly maps: readonly DispatchMap[]
  readonly moveMaps: readonly MoveMap[]
  readonly dataMaps: readonly DataMap[]
  /** Base chains come first, in the order in which packets pass them. */
  readonly chains: readonly Chain[]
  readonly doors: readonly DoorSummary[]
  /** What attempts under way depend on, for each knock. */
  readonly attempts: readonly AttemptSummary[]
  /** The NFLOG group to which the chains log; absent if nothing is logged. */
  readonly logGroup?: number
  /** The hook and interfaces where packets are judged; absent if the spec names no interfaces. */
  readonly place?: Pick<ValidSpec, 'hook' | 'interfaces'>
  /** The block that is one source for attempts and bans. Absent: the address. */
  readonly guardPrefix?: Prefix
}

export const ACCEPT: Verdict = { kind: 'accept' }
export const DROP: Verdict = { kind: 'drop' }
export const RETURN: Verdict = { kind: 'return' }
export const RESET: Verdict = { kind: 'reset' }
export const jump = (chain: string): Verdict => ({ kind: 'jump', chain })
export const goTo = (chain: string): Verdict => ({ kind: 'goto', chain })
export const dispatch = (map: string): Verdict => ({ kind: 'dispatch', map })
export const move = (map: string): Verdict => ({ kind: 'move', map })

export const inSet = (set: string, constant?: number): Match => ({
  kind: 'in',
  set,
  ...(constant !== undefined && { constant }),
})
export const notInSet = (set: string): Match => ({ kind: 'not-in', set })
export const stateIs = (...states: State[]): Match => ({ kind: 'state', states })

export const add = (set: string, constant?: number): Action => ({
  op: 'add',
  set,
  ...(constant !== undefined && { constant }),
})
export const update = (set: string): Action => ({ op: 'update', set })
/** @param timeout - seconds. */
export const updateFor = (set: string, timeout: number): Action => ({ op: 'update', set, timeout })
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
): DispatchEntry => ({ protocol, ports: rangeOf(ports), verdict })
