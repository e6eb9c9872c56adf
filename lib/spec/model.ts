// The validated spec: defaults filled in, durations in seconds, steps and services as objects. Types alone.

export type Family = 4 | 6

/** A port range of one protocol; without `ports`: every port, and for `any` every protocol. */
export interface Service {
  readonly protocol: 'tcp' | 'udp' | 'any'
  readonly ports?: PortRange
}

/** Both ends belong to it. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

export interface Cidr {
  readonly family: Family
  /** In canonical text, with all host bits zero. */
  readonly address: string
  readonly prefixLength: number
}

/** A packet's flags match when `flags & mask == value`. */
export interface TcpFlags {
  readonly mask: number
  readonly value: number
}

export interface Step {
  readonly protocol: 'tcp' | 'udp' | 'icmp' | 'icmpv6'
  /** Of tcp and udp. */
  readonly port?: number
  /** Of tcp. */
  readonly flags?: TcpFlags
  /** Bytes of payload, of udp, icmp and icmpv6. */
  readonly length?: number
}

export type ResetMode = 'any' | 'knock-ports' | 'never'

export interface ValidSequence {
  readonly type: 'sequence'
  /** JSON Pointer of this knock. */
  readonly origin: string
  readonly steps: readonly Step[]
  readonly stepTimeout: number
  readonly timeout?: number
  readonly reset: ResetMode
}

/** One member for each kind of knock. */
export type ValidKnock = ValidSequence

export interface ValidOpen {
  readonly for: number
  readonly connections?: number
  readonly refresh: boolean
}

export interface ValidDoor {
  readonly name: string
  /** JSON Pointer of this door. */
  readonly origin: string
  readonly services: readonly Service[]
  /** Empty: any destination. */
  readonly addresses: readonly Cidr[]
  readonly knock: ValidKnock
  readonly close?: ValidKnock
  readonly open: ValidOpen
}

export interface ValidSpec {
  readonly table: string
  readonly hook: 'input'
  /** Empty: all but loopback. */
  readonly interfaces: readonly string[]
  readonly guard: {
    readonly trusted: readonly Cidr[]
    readonly ignore: readonly Service[]
    readonly capacity: number
  }
  readonly doors: readonly ValidDoor[]
}
