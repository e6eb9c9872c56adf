// A secret, a door's name and a period → a token or the ports of a rotation, the same on server and
// client. Pure.
import { createRequire } from 'node:module'
import { hexDigest } from './digest.js'
import type { KnockPort, Step, ValidRotation } from './model.js'
import { SYN } from './step.js'

const load = createRequire(import.meta.url)

/** The shortest period of tokens, in seconds. */
export const LEAST_PERIOD = 10

/** The most seconds from when a token is loaded until it expires: 120 days. */
export const LONGEST_TOKEN = 120 * 86400

/** Bytes of a token. */
export const TOKEN_LENGTH = 16

/** The number of whole periods since 1970, which identifies a token or a sequence. */
export const periodAt = (seconds: number, period: number): number => Math.floor(seconds / period)

/** Derives the token of a door's user for a period: 32 hex digits. */
export const deriveToken = (secret: Uint8Array, door: string, period: number): string =>
  hmac(secret, `knocklib/1 ${door} ${period}`).slice(0, 2 * TOKEN_LENGTH)

/** Derives the ports of a rotating sequence for a period, in order. */
export function derivePorts(
  secret: Uint8Array,
  door: string,
  period: number,
  { length, protocol, ports: { from, to } }: Pick<ValidRotation, 'length' | 'protocol' | 'ports'>,
): KnockPort[] {
  const digits = hmac(secret, `knocklib/1 rotate ${door} ${period}`)
  return Array.from({ length }, (_, step) => {
    // 32 bits for at most 65,535 ports: the first ones are favoured by less than one in 65,000.
    const number = Number.parseInt(digits.slice(8 * step, 8 * step + 8), 16)
    return { protocol, port: from + (number % (to - from + 1)) }
  })
}

/** HMAC-SHA-256 (RFC 2104) of a text, as hex digits. */
function hmac(secret: Uint8Array, text: string): string {
  // Loaded on use: it takes a tenth of the time that importing knocklib may take, and most
  // importers derive nothing.
  const { createHmac }: typeof import('node:crypto') = load('node:crypto')
  return createHmac('sha256', secret).update(text).digest('hex')
}

/**
 * Identifies a one-time sequence by 12 hex digits, which are the same for steps that match the same
 * packets.
 */
export function identifySteps(steps: readonly Step[]): string {
  const normal = steps.map(({ protocol, port, flags = SYN, length }) =>
    protocol === 'tcp' ? [protocol, port, flags.mask, flags.value] : [protocol, port, length],
  )
  return hexDigest(normal, 12)
}
