// The types of what a valid spec says of packets: addresses, ports, steps.

import type { ProtocolNumber } from './protocol.js'

export type Family = 4 | 6

/**
 * A port range of TCP or UDP; without `ports` all ports. `any`: TCP, UDP and echo requests. A
 * number: all packets of that IP protocol, which is none of these.
 */
export interface Service {
  readonly protocol: 'tcp' | 'udp' | 'any' | ProtocolNumber
  readonly ports?: PortRange
}

/** Both ends are included. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

/**
 * By family, how many leading bits of an address make the block that counts as one source. 32 and
 * 128: the address itself.
 */
export type Prefix = Readonly<Record<Family, number>>

export interface Cidr {
  readonly family: Family
  /** In canonical text, with all host bits zero. */
  readonly address: string
  readonly prefixLength: number
}

/** A packet's flags match if `flags & mask == value`. */
export interface TcpFlags {
  readonly mask: number
  readonly value: number
}

export interface Step {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'icmpv6'
  /** For tcp and udp. */
  readonly port?: number
  /** For tcp. */
  readonly flags?: TcpFlags
  /** Bytes of payload, for udp, icmp and icmpv6. */
  readonly length?: number
}

export type ResetMode = 'any' | 'knock-ports' | 'never'

export interface KnockPort {
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
}

/**
 * The place to which connections of granted sources go instead: a port of this host, or of another.
 */
export interface RedirectTarget {
  readonly port: number
  readonly family?: Family
  readonly address?: string
}
