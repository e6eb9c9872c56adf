// The sets of an automaton as the kernel would hold them: elements with their expiry. Pure: time
// comes with the packets.

import type { Action, Automaton } from '../automaton/language/automaton.js'
import type { Loads, PortPeriod } from '../automaton/language/loads.js'
import { isPerFamily, type TimedSet } from '../automaton/language/sets.js'
import { TOKEN_AT } from '../spec/derive/carrier.js'
import { TOKEN_LENGTH } from '../spec/derive/derivation.js'
import { cidrContains } from '../spec/model/address.js'
import type { Cidr, Family } from '../spec/model/model.js'
import { familyOf, hasPorts, type Packet } from './packet.js'

export interface Member {
  readonly set: string
  readonly family: Family
  readonly key: string
  /** Seconds until it expires. */
  readonly expiresIn: number
}

/** An action that changes a set. */
type SetAction = Extract<Action, { readonly set: string }>

export class SimulatedSets {
  readonly #sets: ReadonlyMap<string, TimedSet>
  readonly #trusted: ReadonlyMap<string, readonly Cidr[]>
  readonly #ports: ReadonlyMap<string, ReadonlySet<number>>
  readonly #periods = new Map<string, readonly PortPeriod[]>()
  /** By set and family, when each key expires. */
  readonly #elements = new Map<string, Map<string, number>>()

  constructor({ sets, portSets, periodSets, addressSets }: Automaton) {
    this.#sets = new Map(sets.map((set) => [set.name, set]))
    this.#ports = new Map(portSets.map((set) => [set.name, new Set(set.ports)]))
    for (const { name } of periodSets) this.#periods.set(name, [])
    this.#trusted = new Map(addressSets.map((set) => [set.name, set.addresses]))
  }

  /** Fills the sets of tokens and ports; their old elements are gone. */
  load({ tokens, ports }: Loads): void {
    for (const { set, tokens: loaded } of tokens) {
      this.#elements.set(set, new Map(loaded.map(({ token, until }) => [token, until])))
    }
    for (const { set, periods } of ports) this.#periods.set(set, periods)
  }

  /** The elements of a set that have not expired, in the order in which they came. */
  members(set: string, at: number): Member[] {
    const families = isPerFamily(this.#set(set)) ? ([4, 6] as const) : ([4] as const)
    return families.flatMap((family) =>
      [...this.#of(set, family)]
        .filter(([, expiry]) => expiry > at)
        .map(([key, expiry]) => ({ set, family, key, expiresIn: expiry - at })),
    )
  }

  /**
   * Whether a packet's key is in a set.
   *
   * @param constant - the part of the key that is not from the packet.
   */
  has(set: string, packet: Packet, constant?: number): boolean {
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
    const expiry = this.#of(set, familyOf(packet)).get(this.#key(set, packet, constant))
    return expiry !== undefined && expiry > packet.at
  }

  /** Changes a set. False if it is full or the key is claimed already: either ends the rule. */
  change({ set, op, constant }: SetAction, packet: Packet): boolean {
    const elements = this.#of(set, familyOf(packet))
    const key = this.#key(set, packet, constant)
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

  #key(set: string, packet: Packet, constant = 0): string {
    const {
      source,
      destination = '',
      sourcePort = 0,
      port = 0,
      sequence = 0,
      payload = '',
    } = packet
    const tokenAt = (byte: number) =>
      payload.slice(2 * byte, 2 * (byte + TOKEN_LENGTH)).toLowerCase()
    const fields = {
      ...{ source, destination, sourcePort, port, sequence, all: 'all', constant },
      'udp-token': tokenAt(TOKEN_AT.udp),
      'stun-token': tokenAt(TOKEN_AT.stun),
      'dns-token': tokenAt(TOKEN_AT.dns),
    }
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
