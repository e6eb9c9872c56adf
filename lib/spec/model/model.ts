// The types of a valid spec: defaults filled in, durations in seconds, steps and services as
// objects.

import type { ActionSpec } from '../generated/knock-types.js'
import type {
  Cidr,
  KnockPort,
  PortRange,
  Prefix,
  RedirectTarget,
  ResetMode,
  Service,
  Step,
} from './packet-model.js'

/** The parts that all sequences have, whether their steps are written down or derived. */
interface SequenceTimes {
  /** JSON Pointer of this knock. */
  readonly origin: string
  /** Seconds. */
  readonly stepTimeout: number
  readonly timeout?: number
  readonly reset: ResetMode
}

/** Packets in this order. Each sequence of a `oneTime` list is one of these. */
export interface ValidSequence extends SequenceTimes {
  readonly type: 'sequence'
  /** JSON Pointer of the list of steps. */
  readonly stepsOrigin: string
  readonly steps: readonly Step[]
  /** Present if the sequence works once: 12 hex digits that are the same for the same steps. */
  readonly once?: string
}

/** A sequence whose ports are derived from a secret and the time. */
export interface ValidRotation extends SequenceTimes {
  readonly type: 'rotation'
  readonly secretFile: string
  /** Seconds for which one sequence is valid. */
  readonly every: number
  /** How many steps a sequence has, 2 to 8. */
  readonly length: number
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
  /** Seconds for which sequences are loaded ahead. */
  readonly horizon: number
}

/** `hits` packets, and then one to the service at the right time. */
export interface ValidRate {
  readonly type: 'rate'
  readonly origin: string
  /** May be a port of the door's own service. */
  readonly port: KnockPort
  readonly hits: number
  /** Seconds from the first hit, within which that packet must come; 0 <= min < max. */
  readonly min: number
  readonly max: number
  /** Seconds for which a source that was too fast is ignored. Each of its packets restarts them. */
  readonly penalty: number
}

/** A number of packets in each of several windows of time. */
export interface ValidRhythm {
  readonly type: 'rhythm'
  readonly origin: string
  /** A packet to any of them counts. They may be ports of the door's own service. */
  readonly ports: readonly KnockPort[]
  /** 2 to 9 counts of 1 to 9. */
  readonly counts: readonly number[]
  /** Seconds, at least 2. */
  readonly window: number
  readonly penalty: number
}

/** Times of some days of the week; 0 is Sunday. */
export interface HoursRange {
  readonly days: readonly number[]
  /** Seconds since midnight, as the clock shows them; 0 <= from < to <= 86400. */
  readonly from: number
  readonly to: number
}

export interface ValidHours {
  /** The name of a time zone, such as `Europe/Berlin`. */
  readonly zone: string
  readonly ranges: readonly HoursRange[]
}

export interface ValidUser {
  readonly name: string
  readonly secretFile: string
  /** The sources whose packets may bear the user's tokens. Absent: all. */
  readonly from?: readonly Cidr[]
  /** When the periods of the user's tokens begin. Absent: at any time. */
  readonly hours?: ValidHours
  /** From when on no token of the user opens, in seconds since 1970. Absent: never. */
  readonly until?: number
}

/**
 * What bears a token: a datagram of nothing else, the connectivity check of a browser's WebRTC
 * (STUN, RFC 8489), or a question to a name server (RFC 1035).
 */
export type Carrier = 'udp' | 'stun' | 'dns'

/** One packet with 16 bytes that work once. */
export interface ValidToken {
  readonly type: 'token'
  readonly origin: string
  /** A UDP port. */
  readonly port: number
  readonly carrier: Carrier
  /**
   * Seconds: for which one token is valid; for which it is still accepted after that; for which
   * tokens are loaded ahead.
   */
  readonly period: number
  readonly drift: number
  readonly horizon: number
  readonly users: readonly ValidUser[]
}

/** One member for each kind of knock. */
export type ValidKnock = ValidSequence | ValidRotation | ValidRate | ValidRhythm | ValidToken

export interface ValidOpen {
  readonly for: number
  readonly connections?: number
  /** What restarts the time of a grant besides another knock. */
  readonly refresh: false | 'connections' | 'traffic'
  readonly scope: 'source' | 'everyone'
  readonly established: 'keep' | 'cut'
  readonly redirectTo?: RedirectTarget
  /** The packet mark on packets that are let through; never 0. */
  readonly mark?: number
  /** The block that a grant is for. Absent: the address. */
  readonly prefix?: Prefix
}

export interface ValidDoor {
  readonly name: string
  /** JSON Pointer of this door. */
  readonly origin: string
  readonly services: readonly Service[]
  /** Where its packets come in. Empty: wherever the table judges. */
  readonly interfaces: readonly string[]
  /** Empty: any destination. */
  readonly addresses: readonly Cidr[]
  /** Each of them opens the door. Never empty. */
  readonly knocks: readonly ValidKnock[]
  /** Each of them closes the grant of its source. Mostly empty. */
  readonly closes: readonly ValidSequence[]
  readonly open: ValidOpen
}

/**
 * The `after`th strike (reset or wrong token) within `within` seconds of the first bans the source
 * for `for` seconds.
 */
export interface ValidBan {
  readonly after: number
  readonly within: number
  readonly for: number
}

/** An event that an action can name. */
export type ActionOn = ActionSpec['on'][number]

/** A program that is run, or a request that is sent, at each of some events. */
export interface ValidAction {
  /** JSON Pointer of this action. */
  readonly origin: string
  readonly on: readonly ActionOn[]
  /** The names of the doors whose events count. Absent: all events count. */
  readonly doors?: readonly string[]
  readonly does: ActionDoes
  /** Seconds that it may take. */
  readonly timeout: number
}

/** `run`: an absolute path and arguments. `post`: an http or https URL. */
export type ActionDoes =
  | { readonly run: readonly [program: string, ...args: string[]] }
  | { readonly post: string }

/** A new packet to one of the ports bans its source for `for` seconds. */
export interface ValidTraps {
  readonly ports: readonly TrapPorts[]
  readonly for: number
}

/** A range of ports of TCP or UDP. */
export interface TrapPorts extends Service {
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
}

/** The limits of the log through NFLOG. */
export interface ValidLog {
  readonly group: number
  /** Packets per second of one kind of event at one door, also the burst: 1 to 1,000,000. */
  readonly rate: number
  /** The same for events that anybody can cause: packets to a closed door, wrong tokens. */
  readonly deniedRate: number
}

/** `input` and `forward` come after conntrack, `prerouting` and `ingress` before it. */
export type Hook = 'input' | 'forward' | 'prerouting' | 'ingress'

/** A spec of which each part was read, but the rules about contradictions are not checked yet. */
export interface ReadSpec {
  readonly table: string
  readonly hook: Hook
  /** Empty: all interfaces but loopback. */
  readonly interfaces: readonly string[]
  /** Absent: nothing is logged. */
  readonly log?: ValidLog
  readonly guard: {
    readonly trusted: readonly Cidr[]
    readonly ignore: readonly Service[]
    readonly ban?: ValidBan
    readonly traps?: ValidTraps
    readonly capacity: number
    /** The block that counts as one source for attempts and bans. Absent: the address. */
    readonly prefix?: Prefix
  }
  readonly doors: readonly ValidDoor[]
  readonly actions: readonly ValidAction[]
}

declare const VALIDATED: unique symbol

/**
 * A valid spec, which only `validateSpec` makes. All calls that take a spec accept it and do not
 * validate it again.
 */
export interface ValidSpec extends ReadSpec {
  readonly [VALIDATED]: true
}

/** A remark about a spec that is not wrong. */
export interface Note {
  /** JSON Pointer into the spec. */
  readonly path: string
  readonly message: string
}
