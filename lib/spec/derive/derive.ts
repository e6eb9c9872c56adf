// A secret, a door's name and the time → tokens and ports, for the server. Pure.
import { createRequire } from 'node:module'
import { hexDigest } from '../model/digest.js'
import type { Family, KnockPort, Step } from '../model/packet-model.js'
import { SYN } from '../model/step.js'
import { portsOf, portsSeed, type Rotation, tokenOf, tokenSeed } from './derivation.js'

const load = createRequire(import.meta.url)

/** The tokens of a door's user for a period, 32 hex digits each: for IPv4, and for IPv6. */
export function deriveTokens(secret: Uint8Array, door: string, period: number): [string, string] {
  const digits = hmac(secret, tokenSeed(door, period))
  return [tokenOf(digits, 4), tokenOf(digits, 6)]
}

/** The one of them that a family's packet bears. */
export const deriveToken = (
  secret: Uint8Array,
  door: string,
  period: number,
  family: Family = 4,
): string => tokenOf(hmac(secret, tokenSeed(door, period)), family)

/** The ports of a rotating sequence in a period, in their order. */
export const derivePorts = (
  secret: Uint8Array,
  door: string,
  period: number,
  rotation: Rotation,
): KnockPort[] => portsOf(hmac(secret, portsSeed(door, period)), rotation)

/** HMAC-SHA-256 (RFC 2104) of a text, as hex digits. */
function hmac(secret: Uint8Array, text: string): string {
  // Loading it takes a tenth of what importing knocklib may take, and most who import derive
  // nothing.
  const { createHmac }: typeof import('node:crypto') = load('node:crypto')
  return createHmac('sha256', secret).update(text).digest('hex')
}

/** Identifies a one-time sequence: 12 hex digits, the same for steps that the same packets are. */
export function identifySteps(steps: readonly Step[]): string {
  const normal = steps.map(({ protocol, port, flags = SYN, length }) =>
    protocol === 'tcp' ? [protocol, port, flags.mask, flags.value] : [protocol, port, length],
  )
  return hexDigest(normal, 12)
}
