// The form to which a kind of knock compiles, before `weave` makes the table's chains of it. Types.
import type { ValidDoor } from '../../spec/model/model.js'
import type { Family, KnockPort, PortRange, ResetMode } from '../../spec/model/packet-model.js'
import type { Action, Chain, Match, Rule, Verdict } from './automaton.js'
import type { Attempt } from './names.js'
import type { PeriodSet, TimedSet } from './sets.js'

/** Seconds for which a claim is kept that decides between packets which come at once. */
export const AT_ONCE = 60

/**
 * The actions on a packet that completes a knock and is itself accepted, in two parts: before and
 * after the claim.
 */
export interface LetThrough {
  /** Actions that may find a set full. They come before the claim, which nothing takes back. */
  readonly room: readonly Action[]
  readonly then: readonly Action[]
}

/** What the table passes to a knock that is compiled. */
export interface KnockContext {
  readonly door: ValidDoor
  readonly attempt: Attempt
  readonly capacity: number
  /** The actions when the knock is complete. */
  readonly complete: readonly Action[]
  /** The actions instead, if the packet that completes the knock is itself accepted. */
  readonly letThrough: LetThrough
  /** The verdict of a rule that ends an attempt because of a wrong knock. */
  readonly strike: Verdict
  /**
   * The first actions of each rule that begins or advances an attempt: they mark the source as
   * knocking.
   */
  readonly touch: readonly Action[]
}

/** Some of the packets that come to an endpoint; all of them if `when` is empty. */
export interface PacketMatch {
  /** Default: both families. */
  readonly families?: readonly Family[]
  readonly when: readonly Match[]
}

/** The rules of one knock for packets to one port, or for all echo requests. */
export interface Endpoint {
  /** With neither `port` nor `range`: echo requests. */
  readonly port?: KnockPort
  /**
   * Instead of a port: the packets in this range that are in `packets`. Others do not belong to the
   * knock.
   */
  readonly range?: { readonly protocol: 'tcp' | 'udp'; readonly ports: PortRange }
  /** The packets that count as knocks here. If empty, the rules themselves count knocks. */
  readonly packets: readonly PacketMatch[]
  /** In order. The first rule that matches ends with a verdict. */
  readonly rules: readonly Rule[]
  /** The `packets` and `rules` that are also for packets which conntrack calls invalid. */
  readonly invalidPackets: readonly PacketMatch[]
  readonly invalidRules: readonly Rule[]
}

/** The rules of a knock for packets to the door's service that no grant accepts. */
export interface ServiceRules {
  /** Only packets of sources in one of these sets are judged. */
  readonly of: readonly string[]
  /** In order. A packet that no rule accepts is refused. */
  readonly rules: readonly Rule[]
}

/** One knock of one door, compiled. */
export interface KnockProgram {
  readonly door: ValidDoor
  readonly attempt: Attempt
  /** JSON Pointer of the knock. */
  readonly origin: string
  readonly sets: readonly TimedSet[]
  readonly periodSets?: readonly PeriodSet[]
  readonly service?: ServiceRules
  readonly endpoints: readonly Endpoint[]
  /** Chains to which its rules lead. */
  readonly chains?: readonly Chain[]
  /**
   * The rules that end a source's attempt. Empty if this knock has no attempts that can be reset.
   */
  readonly wipe: readonly Rule[]
  readonly reset: ResetMode
  /**
   * The most seconds between two knocks of an attempt (`gap`), and from its first knock to its last
   * (`lasts`).
   */
  readonly gap: number
  readonly lasts: number
}

/** Writes the door's name and the JSON Pointer, for comments of rules. */
export const originOf = ({ door, origin }: KnockProgram): string => `${door.name} ${origin}`
