// The sets of a table, and its maps from ports and marks to values. Types; and the sets that
// remember used tokens and one-time sequences, the same for every spec. Pure.
import { LONGEST_TOKEN } from '../../spec/derive/derivation.js'
import type { Carrier } from '../../spec/model/model.js'
import type { Cidr, KnockPort, Prefix } from '../../spec/model/packet-model.js'
import { spentSequenceSet, spentTokensSet } from './names.js'

/**
 * A packet field that can be part of a set's key. `all` is a constant, and `constant` one that the
 * rule names. `CARRIER-token` is the 16 bytes of the payload that are a token in packets of that
 * carrier. `sequence`, a hash of TCP's sequence number, is only added and deleted: it cannot be
 * looked up. `knock` is the number of a shared knock in the packet's mark.
 */
export type KeyField =
  | 'source'
  | 'knock'
  | 'destination'
  | 'sourcePort'
  | 'port'
  | 'sequence'
  | 'all'
  | 'constant'
  | `${Carrier}-token`

/**
 * A set of keys that expire. If it is full it refuses new keys, and the rule that adds one ends
 * there.
 */
export interface TimedSet {
  readonly name: string
  readonly key: readonly KeyField[]
  /** Seconds. Absent: each element has its own timeout, or stays. */
  readonly timeout?: number
  /**
   * Whether the rules give each element this timeout. The set can then keep its elements when the
   * spec's time changes; the set's own timeout is for elements that are added by hand.
   */
  readonly perElement?: true
  /** The most elements; per family if the key has an address. */
  readonly capacity: number
  /** Each element counts the packets that update it. */
  readonly counts?: true
  /** It is a map: each element remembers the mark of the packet that added it. */
  readonly remembers?: true
  /** The part `source` of the key is the block around the address. Absent: the address. */
  readonly prefix?: Prefix
}

/** Whether there is one set for IPv4 and one for IPv6. Others have no addresses. */
export const isPerFamily = ({ key }: Pick<TimedSet, 'key'>): boolean => key.includes('source')

/** A set of ports, each with the period in which it counts. It is filled by loading. */
export interface PeriodSet {
  readonly name: string
}

/** A constant set of source addresses. */
export interface AddressSet {
  readonly name: string
  readonly addresses: readonly Cidr[]
}

/** A constant set of ports, of any protocol. */
export interface PortSet {
  readonly name: string
  readonly ports: readonly number[]
}

/** A constant map from a knock port to a mark, or from a packet's mark to a port. */
export type DataMap =
  | { readonly name: string; readonly from: 'port'; readonly entries: readonly MarkEntry[] }
  | { readonly name: string; readonly from: 'mark'; readonly entries: readonly PortEntry[] }

export interface MarkEntry extends KnockPort {
  readonly mark: number
  /** What the port is, for people. */
  readonly comment: string
}

export interface PortEntry {
  readonly mark: number
  readonly port: number
}

/** The most used tokens that a door remembers. If the set is full, no further token is accepted. */
const MOST_SPENT = 1_048_576

/**
 * The used tokens of a door. They are remembered for longer than any token is valid.
 *
 * @param carrier - where the rules read a token. The kernel's set is the same for each.
 */
export const spentTokens = (door: string, carrier: Carrier = 'udp'): TimedSet => ({
  name: spentTokensSet(door),
  key: [`${carrier}-token`],
  timeout: LONGEST_TOKEN,
  capacity: MOST_SPENT,
})

/** Remembers a used one-time sequence for ever, since nothing else does. */
export const spentSequence = (door: string, digest: string): TimedSet => ({
  name: spentSequenceSet(door, digest),
  key: ['all'],
  capacity: 1,
})
