// What a token and a rotating sequence are made of, for every implementation of HMAC. Pure.
import type { Family, KnockPort, PortRange } from '../model/packet-model.js'

/** The shortest period of tokens, in seconds. */
export const LEAST_PERIOD = 10

/** The most seconds for which a token can be taken, from when it is loaded: 120 days. */
export const LONGEST_TOKEN = 120 * 86400

/** Bytes of a token. */
export const TOKEN_LENGTH = 16

/** The number of a period: how many whole periods have passed since 1970. */
export const periodAt = (seconds: number, period: number): number => Math.floor(seconds / period)

/** The text whose HMAC-SHA-256 holds the tokens of a period. */
export const tokenSeed = (door: string, period: number): string => `knocklib/1 ${door} ${period}`

/** The text whose HMAC-SHA-256 holds the ports of a period. */
export const portsSeed = (door: string, period: number): string =>
  `knocklib/1 rotate ${door} ${period}`

/**
 * Takes the token of a family out of the 64 hex digits of an HMAC: the first half for IPv4, the
 * second for IPv6. One secret so opens the door for both families at once, and each token works
 * once.
 */
export function tokenOf(digits: string, family: Family): string {
  const from = family === 6 ? 2 * TOKEN_LENGTH : 0
  return digits.slice(from, from + 2 * TOKEN_LENGTH)
}

export interface Rotation {
  /** How many ports. */
  readonly length: number
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
}

/** Reads ports out of the 64 hex digits of an HMAC, eight for each, in their order. */
export const portsOf = (
  digits: string,
  { length, protocol, ports: { from, to } }: Rotation,
): KnockPort[] =>
  Array.from({ length }, (_, step) => {
    // 32 bits for at most 65,535 ports: the first ones are favoured by less than one in 65,000.
    const number = Number.parseInt(digits.slice(8 * step, 8 * step + 8), 16)
    return { protocol, port: from + (number % (to - from + 1)) }
  })
