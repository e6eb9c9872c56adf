// A secret, a door's name and the time → tokens and ports, by WebCrypto: in browsers, Deno, Bun and
// Node. Pure.
import { CapabilityError } from '../../errors.js'
import type { Family, KnockPort } from '../model/packet-model.js'
import { portsOf, portsSeed, type Rotation, tokenOf, tokenSeed } from './derivation.js'

/** The token of a door's user for a period and a family: 32 hex digits. */
export const webToken = async (
  secret: Uint8Array,
  door: string,
  period: number,
  family: Family,
): Promise<string> => tokenOf(await hmac(secret, tokenSeed(door, period)), family)

/** The ports of a rotating sequence in a period, in their order. */
export const webPorts = async (
  secret: Uint8Array,
  door: string,
  period: number,
  rotation: Rotation,
): Promise<KnockPort[]> => portsOf(await hmac(secret, portsSeed(door, period)), rotation)

/** HMAC-SHA-256 (RFC 2104) of a text, as hex digits. */
async function hmac(secret: Uint8Array, text: string): Promise<string> {
  const subtle: typeof crypto.subtle | undefined = crypto.subtle
  if (!subtle) {
    // W3C Web Cryptography API, section 10: only in a secure context.
    const provider = 'a browser has it on pages from https, localhost and files'
    throw new CapabilityError('deriveToken', 'WebCrypto', provider)
  }
  const name = { name: 'HMAC', hash: 'SHA-256' }
  const key = await subtle.importKey('raw', Uint8Array.from(secret), name, false, ['sign'])
  const digest = await subtle.sign('HMAC', key, new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
