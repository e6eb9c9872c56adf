// What the simulator knows of a packet, and what the kernel would read of it. Pure.

import type { Base, IpProtocol, Match } from '../automaton/language/automaton.js'
import type { Family, PortRange } from '../spec/model/model.js'
import { NUMBER, type ProtocolNumber } from '../spec/model/protocol.js'

/** What is said of a packet besides where it goes. */
export interface PacketParts {
  /**
   * Seconds since any moment, since 1970 where keys or ports depend on the time; never less than
   * the packet's before.
   */
  readonly at: number
  /** An address in canonical text; it says the family. */
  readonly source: string
  /** Default: an address that no door names. */
  readonly destination?: string
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
  readonly state?: 'new' | 'established' | 'related' | 'invalid' | 'untracked'
  /** Whether it comes from the side that answered its connection. Default: false. */
  readonly isReply?: boolean
  /**
   * What it is a fragment of: `first` has all headers, `bare` is a first one that may lack some,
   * `second` is from the ninth byte on, `later` from further behind. Default: none, the packet is
   * whole.
   */
  readonly fragment?: 'first' | 'bare' | 'second' | 'later'
  /** Whether its transport header cannot be found, of IPv6. Default: false. */
  readonly unreadable?: boolean
}

/** One packet as it comes in. */
export interface Packet extends PacketParts {
  /**
   * `icmp` is an echo request, of either family. A number is IANA's: 1 and 58 are any other ICMP.
   */
  readonly protocol: 'tcp' | 'udp' | 'icmp' | ProtocolNumber
  readonly port?: number
}

/**
 * Whether a packet comes by a base chain: at ingress it does by its device's, in a nat chain when
 * it begins something.
 */
export function comesTo({ type, device }: Base, packet: Packet): boolean {
  if (type === 'nat' && (packet.state ?? 'new') !== 'new') return false
  return device === undefined || packet.interface === device
}

/** Whether it has the beginning of its transport header, and that can be found. */
export const hasPorts = ({ fragment, ...packet }: Packet): boolean =>
  !isUnreadable(packet) && fragment !== 'second' && fragment !== 'later'

/** An IPv4 header always leads to the transport's. */
export const isUnreadable = ({ source, unreadable = false }: Packet): boolean =>
  unreadable && source.includes(':')

export function isPiece(
  { fragment }: Packet,
  part: Extract<Match, { kind: 'piece' }>['part'],
): boolean {
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

export const isWithin = (port: number | undefined, { from, to }: PortRange): boolean =>
  port !== undefined && from <= port && port <= to

export const familyOf = ({ source }: Packet): Family => (source.includes(':') ? 6 : 4)

export const numberOf = (protocol: IpProtocol): ProtocolNumber =>
  typeof protocol === 'number' ? protocol : NUMBER[protocol]

export const ipProtocol = (packet: Packet): IpProtocol =>
  packet.protocol === 'icmp' && familyOf(packet) === 6 ? 'icmpv6' : packet.protocol

export const fitsPattern = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
