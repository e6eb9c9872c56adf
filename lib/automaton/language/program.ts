// What a kind of knock compiles to, before it is woven into the table's chains. Types.
import type { Family, KnockPort, PortRange, ResetMode, ValidDoor } from '../../spec/model/model.js'
import type { Action, Chain, Match, PeriodSet, Rule, TimedSet, Verdict } from './automaton.js'
import type { Attempt } from './names.js'

/**
 * Seconds within which two packets come at once: as long is a claim kept that decides between them.
 */
export const AT_ONCE = 60

/**
 * What is done to a packet that completes a knock and is let through itself, in two parts around
 * the claim.
 */
export interface LetThrough {
  /** May meet a full set, so it comes before the claim, which nothing takes back. */
  readonly room: readonly Action[]
  readonly then: readonly Action[]
}

/** What the table gives to a knock that is being compiled. */
export interface KnockContext {
  readonly door: ValidDoor
  readonly attempt: Attempt
  readonly capacity: number
  /** Done when the knock is complete. */
  readonly complete: readonly Action[]
  /** Done instead where the packet that completes it is let through itself. */
  readonly letThrough: LetThrough
  /** Where the rule goes that ends an attempt as a wrong knock. */
  readonly strike: Verdict
  /**
   * Done first by each rule that begins an attempt or carries it on: the source is known to be
   * knocking.
   */
  readonly touch: readonly Action[]
}

/** Some of the packets that come to an endpoint; with nothing in `when`: all of them. */
export interface PacketMatch {
  /** Default: both. */
  readonly families?: readonly Family[]
  readonly when: readonly Match[]
}

/** The rules for the packets to one port (or for all echo requests) of one knock. */
export interface Endpoint {
  /** Neither: echo requests. */
  readonly port?: KnockPort
  /** Instead of a port: those of `packets` in this range; the others are none of the knock's. */
  readonly range?: { readonly protocol: 'tcp' | 'udp'; readonly ports: PortRange }
  /**
   * The packets that are a knock here: any one of these. With none the rules themselves count
   * knocks.
   */
  readonly packets: readonly PacketMatch[]
  /** Ordered; the first that holds ends with a verdict. */
  readonly rules: readonly Rule[]
  /** Those of `packets` and of `rules` that are also for packets which conntrack calls invalid. */
  readonly invalidPackets: readonly PacketMatch[]
  readonly invalidRules: readonly Rule[]
}

/** What a knock has to say of the packets to the door's service that no grant lets through. */
export interface ServiceRules {
  /** Only those of the sources in one of these sets. */
  readonly of: readonly string[]
  /** Ordered. A packet that no rule accepts is refused. */
  readonly rules: readonly Rule[]
}

/** One knock of one door, compiled. A new kind of knock is one new file that returns this. */
export interface KnockProgram {
  readonly door: ValidDoor
  readonly attempt: Attempt
  /** JSON Pointer of the knock. */
  readonly origin: string
  readonly sets: readonly TimedSet[]
  readonly periodSets?: readonly PeriodSet[]
  readonly service?: ServiceRules
  readonly endpoints: readonly Endpoint[]
  /** To which its rules lead. */
  readonly chains?: readonly Chain[]
  /** Ends the source's attempt, where one is under way. Empty: this knock knows no attempts. */
  readonly wipe: readonly Rule[]
  readonly reset: ResetMode
  /**
   * Seconds between two knocks of an attempt, and from its first knock to its last, at the most.
   */
  readonly gap: number
  readonly lasts: number
}

/** For comments: the door's name and the part of the spec. */
export const originOf = ({ door, origin }: KnockProgram): string => `${door.name} ${origin}`
