// The sets of an automaton as the kernel would hold them: elements with their expiry. Pure: time
// comes with the packets.

import type { Action, Automaton } from '../automaton/language/automaton.js'
import type { Loads, PortPeriod } from '../automaton/language/loads.js'
import { isPerFamily, type KeyField, type TimedSet } from '../automaton/language/sets.js'
import { markOf, numberIn } from '../automaton/sharing/names.js'
import { TOKEN_AT } from '../spec/derive/carrier.js'
import { TOKEN_LENGTH } from '../spec/derive/derivation.js'
import { cidrContains } from '../spec/model/address.js'
import type { Cidr, Family, Prefix } from '../spec/model/packet-model.js'
import { blockOf } from '../spec/model/prefix.js'
import { familyOf, hasPorts, type Packet } from './packet.js'

export interface SimulatedElement {
  readonly set: string
  readonly family: Family
  readonly key: string
  /** Seconds until it expires. */
  readonly expiresIn: number
  /** The mark that a map remembers for the key. */
  readonly mark: number
  /** How often the element was added or updated. */
  readonly packets: number
}

interface Element {
  /** When it expires. */
  readonly until: number
  readonly mark: number
  readonly packets: number
}

/** Reads the token that begins at a byte of a payload. */
const tokenAt =
  (byte: number) =>
  ({ payload = '' }: Marked): string =>
    payload.slice(2 * byte, 2 * (byte + TOKEN_LENGTH)).toLowerCase()

/** What a packet has for each field of a key. */
const FIELDS: Readonly<Record<KeyField, (packet: Marked, constant: number) => string | number>> = {
  source: ({ source }) => source,
  destination: ({ destination = '' }) => destination,
  sourcePort: ({ sourcePort = 0 }) => sourcePort,
  port: ({ port = 0 }) => port,
  sequence: ({ sequence = 0 }) => sequence,
  all: () => 'all',
  constant: (_, constant) => constant,
  knock: ({ mark }) => markOf(numberIn(mark), 0),
  'udp-token': tokenAt(TOKEN_AT.udp),
  'stun-token': tokenAt(TOKEN_AT.stun),
  'dns-token': tokenAt(TOKEN_AT.dns),
}

function forgetExpired(elements: Map<string, Element>, at: number): void {
  for (const [key, { until }] of elements) if (until <= at) elements.delete(key)
}

/** What an element has that no packet added. */
const NEW = { mark: 0, packets: 0 } as const

/** An action that changes a set. */
type SetAction = Extract<Action, { readonly op: 'add' | 'update' | 'delete' | 'claim' | 'meet' }>

/** A packet with its mark. */
export type Marked = Packet & { readonly mark: number }

export class SimulatedSets {
  readonly #sets: ReadonlyMap<string, TimedSet>
  readonly #trusted: ReadonlyMap<string, readonly Cidr[]>
  readonly #ports: ReadonlyMap<string, ReadonlySet<number>>
  readonly #periods = new Map<string, readonly PortPeriod[]>()
  /** By prefix, the blocks of addresses. */
  readonly #blocks = new Map<Prefix, Map<string, string>>()
  /** By set and family, the elements by their keys. */
  readonly #elements = new Map<string, Map<string, Element>>()

  constructor({ sets, portSets, periodSets, addressSets }: Automaton) {
    this.#sets = new Map(sets.map((set) => [set.name, set]))
    this.#ports = new Map(portSets.map((set) => [set.name, new Set(set.ports)]))
    for (const { name } of periodSets) this.#periods.set(name, [])
    this.#trusted = new Map(addressSets.map((set) => [set.name, set.addresses]))
  }

  /** Fills the sets of tokens and ports; their old elements are gone. */
  load({ tokens, ports }: Loads): void {
    for (const { set, tokens: loaded } of tokens) {
      const elements = loaded.map(({ token, until }) => [token, { ...NEW, until }] as const)
      this.#elements.set(set, new Map(elements))
    }
    for (const { set, periods } of ports) this.#periods.set(set, periods)
  }

  /** The elements of a set that have not expired, in the order in which they came. */
  members(set: string, at: number): SimulatedElement[] {
    const families = isPerFamily(this.#set(set)) ? ([4, 6] as const) : ([4] as const)
    return families.flatMap((family) =>
      [...this.#of(set, family)]
        .filter(([, { until }]) => until > at)
        .map(([key, { until, ...rest }]) => ({ set, family, key, expiresIn: until - at, ...rest })),
    )
  }

  /**
   * Whether a packet's key is in a set.
   *
   * @param constant - the part of the key that is not from the packet.
   */
  has(set: string, packet: Marked, constant?: number): boolean {
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
    return this.#find(set, packet, constant) !== undefined
  }

  /** Returns the mark that a map remembers for the packet's key; undefined if it has none. */
  recall(set: string, packet: Marked): number | undefined {
    return this.#find(set, packet)?.mark
  }

  #find(set: string, packet: Marked, constant?: number): Element | undefined {
    const element = this.#of(set, familyOf(packet)).get(this.#key(set, packet, constant))
    return element && element.until > packet.at ? element : undefined
  }

  /** Changes a set. False if it is full or the key is claimed already: either ends the rule. */
  change({ set, op, timeout: own, constant }: SetAction, packet: Marked): boolean {
    const elements = this.#of(set, familyOf(packet))
    const key = this.#key(set, packet, constant)
    if (op === 'delete') {
      elements.delete(key)
      return true
    }
    const { timeout, capacity } = this.#set(set)
    const there = this.#find(set, packet, constant)
    const until = packet.at + (own ?? timeout ?? Number.POSITIVE_INFINITY)
    if (there && (op === 'add' || op === 'claim')) return op === 'add'
    if (there) {
      // What a map remembers stays: only the time starts over.
      elements.set(key, { ...there, until, packets: there.packets + 1 })
      return op !== 'meet'
    }
    // It comes anew, behind the others, although it may have been there before.
    elements.delete(key)
    if (elements.size >= capacity) forgetExpired(elements, packet.at)
    if (elements.size >= capacity) return false
    elements.set(key, { until, mark: packet.mark, packets: 1 })
    return true
  }

  #set(name: string) {
    const set = this.#sets.get(name)
    if (!set) throw new Error(`unreachable: no set ${name}`)
    return set
  }

  #key(set: string, packet: Marked, constant = 0): string {
    const { key, prefix } = this.#set(set)
    const seen = prefix ? { ...packet, source: this.#blockOf(packet, prefix) } : packet
    return key.map((field) => FIELDS[field](seen, constant)).join(' . ')
  }

  /** The address of the block in which a packet's source is. Remembered, since it takes long. */
  #blockOf(packet: Packet, prefix: Prefix): string {
    const known = this.#blocks.get(prefix) ?? new Map<string, string>()
    this.#blocks.set(prefix, known)
    const { source } = packet
    const block =
      known.get(source) ?? blockOf({ family: familyOf(packet), address: source }, prefix).address
    known.set(source, block)
    return block
  }

  #of(set: string, family: Family): Map<string, Element> {
    const name = isPerFamily(this.#set(set)) ? `${set}_${family}` : set
    const found = this.#elements.get(name) ?? new Map<string, Element>()
    this.#elements.set(name, found)
    return found
  }
}
