// The simulator's packets, and what the kernel would read in one. Pure.

import type { Base, IpProtocol, Match } from '../automaton/language/automaton.js'
import { cidrContains } from '../spec/model/address.js'
import type { Cidr, Family, PortRange } from '../spec/model/packet-model.js'
import { NUMBER, type ProtocolNumber } from '../spec/model/protocol.js'

/** The parts of a packet besides its protocol and port. */
export interface PacketParts {
  /**
   * Seconds since any moment, or since 1970 if tokens or ports depend on the time. Never less than
   * the time of the packet before.
   */
  readonly at: number
  /** An address in canonical text. It determines the family. */
  readonly source: string
  /** Default: an address that no door names. */
  readonly destination?: string
  readonly sourcePort?: number
  /**
   * TCP's sequence number. A SYN with the same source, ports and number is a retransmission.
   * Default: 0.
   */
  readonly sequence?: number
  /** The TCP flags as a byte (RFC 9293). Default: SYN. */
  readonly flags?: number
  /** Bytes of payload. Default: those of `payload`, or 0. */
  readonly length?: number
  /** The payload in hex digits. Default: one that is no token. */
  readonly payload?: string
  /** Where it comes in. Default: an interface that is not loopback and that no door names. */
  readonly interface?: string
  /** Whether the host has a socket for the very TCP connection of the packet. Default: false. */
  readonly connected?: boolean
  /** conntrack's state. Default: new. */
  readonly state?: 'new' | 'established' | 'related' | 'invalid' | 'untracked'
  /** Whether it goes in the reply direction of its connection. Default: false. */
  readonly isReply?: boolean
  /**
   * The kind of fragment: `first` has all headers, `bare` is a first one that may lack some,
   * `second` begins at the ninth byte, `later` begins behind that. Default: the packet is whole.
   */
  readonly fragment?: 'first' | 'bare' | 'second' | 'later'
  /** Whether the transport header of an IPv6 packet cannot be found. Default: false. */
  readonly unreadable?: boolean
}

/** A packet as it comes in. */
export interface Packet extends PacketParts {
  /**
   * `icmp` is an echo request of either family. A number is IANA's; 1 and 58 are then any other
   * ICMP.
   */
  readonly protocol: 'tcp' | 'udp' | 'icmp' | ProtocolNumber
  readonly port?: number
}

/**
 * Whether a base chain sees a packet. At ingress it sees those of its device, and a nat chain those
 * that begin a connection.
 */
export function comesTo({ type, device }: Base, packet: Packet): boolean {
  if (type === 'nat' && (packet.state ?? 'new') !== 'new') return false
  return device === undefined || packet.interface === device
}

/** Whether the packet has a transport header that can be found. */
export const hasPorts = ({ fragment, ...packet }: Packet): boolean =>
  !isUnreadable(packet) && fragment !== 'second' && fragment !== 'later'

/** Whether the transport header cannot be found. In IPv4 it always can. */
export const isUnreadable = ({ source, unreadable = false }: Packet): boolean =>
  unreadable && source.includes(':')

/** Whether bytes of UDP's payload are there, and are those of the match or others. */
export function hasBytes(
  packet: Packet,
  { at, bytes, not }: Extract<Match, { kind: 'bytes' }>,
): boolean {
  const found = packet.payload?.slice(2 * at, 2 * at + bytes.length).toLowerCase()
  const isThere = hasPorts(packet) && packet.protocol === 'udp' && found?.length === bytes.length
  return isThere && (found === bytes) !== (not ?? false)
}

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

/** Whether an address is in one of the blocks; false without an address. */
export const isAmong = (blocks: readonly Cidr[], address: string | undefined): boolean =>
  address !== undefined && blocks.some((block) => cidrContains(block, address))
