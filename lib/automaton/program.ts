// What a kind of knock compiles to, before it is woven into the table's chains. Types alone.
import type { Family, ResetMode, ValidDoor } from '../spec/model.js'
import type { Action, Match, Rule, TimedSet } from './automaton.js'
import type { Attempt } from './names.js'

/** What the table gives to a knock that is being compiled. */
export interface KnockContext {
  readonly door: ValidDoor
  readonly attempt: Attempt
  readonly capacity: number
  /** Done when the knock is complete. */
  readonly complete: readonly Action[]
  /** Done first by each rule that begins an attempt or carries it on: the source is known to be knocking. */
  readonly touch: readonly Action[]
}

/** Some of the packets that come to an endpoint; with nothing in `when`: all of them. */
export interface PacketMatch {
  /** Default: both. */
  readonly families?: readonly Family[]
  readonly when: readonly Match[]
}

export interface KnockPort {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
}

/** The rules for the packets to one port (or for all echo requests) of one knock. */
export interface Endpoint {
  /** None: echo requests. */
  readonly port?: KnockPort
  /** The packets that are a knock here: any one of these. */
  readonly packets: readonly PacketMatch[]
  /** Ordered; the first that holds ends with a verdict. */
  readonly rules: readonly Rule[]
  /** Those of `packets` and of `rules` that are also for packets which conntrack calls invalid. */
  readonly invalidPackets: readonly PacketMatch[]
  readonly invalidRules: readonly Rule[]
}

/** One knock of one door, compiled. A new kind of knock is one new file that returns this. */
export interface KnockProgram {
  readonly door: ValidDoor
  readonly attempt: Attempt
  readonly sets: readonly TimedSet[]
  readonly endpoints: readonly Endpoint[]
  /** Ends the source's attempt, where one is under way. Empty: this knock knows no attempts. */
  readonly wipe: readonly Rule[]
  readonly reset: ResetMode
  /** Seconds between two knocks of an attempt, and from its first knock to its last, at the most. */
  readonly gap: number
  readonly lasts: number
}
