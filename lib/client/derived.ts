// A profile's part and a time → the token or the ports of that time, for who builds a client of
// their own. Reads the clock if no time is given.
import type { ClientKnock } from '../automaton/kinds/client-kinds.js'
import { ArgumentError } from '../errors.js'
import { bytesOf, carriedToken, tokenText } from '../spec/derive/carrier.js'
import { periodAt } from '../spec/derive/derivation.js'
import { webPorts, webToken } from '../spec/derive/web.js'
import type { RotateProfile, TokenProfile } from '../spec/generated/client-types.js'
import type { Family } from '../spec/model/packet-model.js'
import { formatStep } from '../spec/model/step.js'
import { readProfile } from './profile.js'

/** Of a profile's token or rotation, whose secret is given. */
export interface DerivedAt {
  /** At least 16 bytes. */
  readonly secret: string | Uint8Array
  /** Default: now. */
  readonly at?: Date
}

export interface DerivedToken {
  /** What the packet bears: 16 bytes. */
  readonly bytes: Uint8Array
  /** The same as text, for the carriers `stun` and `dns`. */
  readonly text?: string
  /** When its period ends. */
  readonly until: Date
}

export interface DerivedPorts {
  /** Such as `tcp/20001`, in their order. */
  readonly steps: readonly string[]
  /** When its period ends. */
  readonly until: Date
}

/**
 * Derives the token of a time. A token is for one family: an IPv4 packet bears another one than an
 * IPv6 packet.
 *
 * @throws ProfileError if the profile's part is wrong, ArgumentError if the secret or the time is.
 * @throws CapabilityError if there is no WebCrypto.
 */
export async function tokenAt(
  part: Omit<TokenProfile, 'secret' | 'secretFile' | 'port'> & { readonly door: string },
  { secret, at = new Date(), family = 4 }: DerivedAt & { readonly family?: Family },
): Promise<DerivedToken> {
  const written = { ...part, port: 'udp/1', secretFile: '-' }
  const knock = await readKnock({ token: written }, 'token', 'tokenAt')
  const { door, period, carrier } = knock
  const number = numberOf(at, period, 'tokenAt')
  const token = await webToken(bytesOfSecret(secret, 'tokenAt'), door, number, family)
  const text = tokenText(carrier, token)
  return {
    bytes: Uint8Array.from(bytesOf(carriedToken(carrier, token))),
    ...(text !== undefined && { text }),
    until: new Date((number + 1) * period * 1000),
  }
}

/**
 * Derives the steps of a rotating sequence at a time.
 *
 * @throws ProfileError if the profile's part is wrong, ArgumentError if the secret or the time is.
 * @throws CapabilityError if there is no WebCrypto.
 */
export async function portsAt(
  part: Omit<RotateProfile, 'secret' | 'secretFile'> & { readonly door: string },
  { secret, at = new Date() }: DerivedAt,
): Promise<DerivedPorts> {
  const written = { ...part, secretFile: '-' }
  const knock = await readKnock({ rotate: written }, 'rotate', 'portsAt')
  const number = numberOf(at, knock.every, 'portsAt')
  const steps = await webPorts(bytesOfSecret(secret, 'portsAt'), knock.door, number, knock)
  return { steps: steps.map(formatStep), until: new Date((number + 1) * knock.every * 1000) }
}

async function readKnock<Kind extends ClientKnock['kind']>(
  profile: object,
  kind: Kind,
  operation: string,
): Promise<Extract<ClientKnock, { kind: Kind }>> {
  const { knock } = await readProfile(profile, operation)
  if (knock.kind === kind) return knock as Extract<ClientKnock, { kind: Kind }>
  throw new Error('unreachable: another kind than was asked for')
}

/** Bytes that every secret has. */
const SHORTEST = 16

function bytesOfSecret(secret: string | Uint8Array, operation: string): Uint8Array {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret
  if (bytes.length >= SHORTEST) return bytes
  const expected = `expected a secret of at least ${SHORTEST} bytes`
  throw new ArgumentError(`${operation}: ${expected}, got ${bytes.length}`)
}

function numberOf(at: Date, period: number, operation: string): number {
  const seconds = at.getTime() / 1000
  if (seconds >= 0) return periodAt(seconds, period)
  throw new ArgumentError(`${operation}: at: expected a date since 1970, got ${String(at)}`)
}
