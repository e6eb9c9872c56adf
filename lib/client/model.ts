// A validated profile: defaults filled in, durations in seconds, steps as objects. Types alone.
import type { KnockPort, PortRange, Step } from '../spec/model/model.js'

/** Packets in this order. */
export interface StepsKnock {
  readonly kind: 'steps'
  readonly steps: readonly Step[]
}

/** Sequences of which each is sent once. */
export interface OneTimeKnock {
  readonly kind: 'oneTime'
  readonly sequences: readonly (readonly Step[])[]
}

/** A sequence whose ports are derived from a secret and the time. */
export interface RotatingKnock {
  readonly kind: 'rotate'
  readonly door: string
  readonly secretFile: string
  /** Seconds that one sequence is valid. */
  readonly every: number
  readonly length: number
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
}

export interface TokenKnock {
  readonly kind: 'token'
  readonly door: string
  readonly secretFile: string
  /** Of UDP. */
  readonly port: number
  /** Seconds for which one token is made. */
  readonly period: number
}

export interface RateKnock {
  readonly kind: 'rate'
  readonly port: KnockPort
  readonly hits: number
  /** Seconds from the first hit, between which a connection must come. */
  readonly min: number
  readonly max?: number
}

export interface RhythmKnock {
  readonly kind: 'rhythm'
  readonly port: KnockPort
  readonly counts: readonly number[]
  /** Seconds from one burst to the next. */
  readonly window: number
}

/** One member for each kind of knock. */
export type ClientKnock =
  | StepsKnock
  | OneTimeKnock
  | RotatingKnock
  | TokenKnock
  | RateKnock
  | RhythmKnock

export interface ValidProfile {
  readonly knock: ClientKnock
  /** In the user's words, such as `100ms`. */
  readonly gap?: string
}
