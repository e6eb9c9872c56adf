// A token's bytes → what they are on the wire, by the carrier of the packet. Pure.
import type { Carrier } from '../model/model.js'
import { TOKEN_LENGTH } from './derivation.js'

export type { Carrier }

/** The byte of the payload at which the token begins. */
export const TOKEN_AT: Readonly<Record<Carrier, number>> = { udp: 0, stun: 24, dns: 13 }

/** RFC 4648, sections 4 and 6, in lower case. */
export const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
export const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * Writes a token as its carrier shows it: 16 characters, or undefined for bytes. A browser takes
 * base64 for a user's name, which holds the token's first 12 bytes; a name server's client keeps
 * base32 as it is, which holds the first 10.
 *
 * @param token - 32 hex digits.
 */
export function tokenText(carrier: Carrier, token: string): string | undefined {
  if (carrier === 'udp') return undefined
  const [alphabet, size] = carrier === 'stun' ? [BASE64, 6] : [BASE32, 5]
  let text = ''
  // A server writes hundreds of thousands at a time: no more than shifts.
  let [value, bits] = [0, 0]
  for (const byte of bytesOf(token)) {
    value = ((value << 8) | byte) & 0xffff
    for (bits += 8; bits >= size; bits -= size) {
      text += alphabet[(value >> (bits - size)) & ((1 << size) - 1)]
    }
  }
  return text.slice(0, TOKEN_LENGTH)
}

/** The 16 bytes that the kernel looks up, as 32 hex digits. */
export function carriedToken(carrier: Carrier, token: string): string {
  const text = tokenText(carrier, token)
  return text === undefined ? token : hexOf(new TextEncoder().encode(text))
}

/**
 * The payload of a datagram that bears a token, as hex digits.
 *
 * @param id - 24 hex digits, other ones each time: a client that asks twice is known by them.
 */
export function payloadOf(carrier: Carrier, token: string, id: string): string {
  const carried = carriedToken(carrier, token)
  if (carrier === 'udp') return carried
  // USERNAME: the server's fragment, a colon and the client's (RFC 8445, section 7.2.2), padded.
  const user = `${carried}${hexOf(new TextEncoder().encode(':knck'))}000000`
  if (carrier === 'stun') return `0001001c2112a442${id}00060015${user}`
  // One question for the address of a name of one label; recursion is not asked for.
  return `${id.slice(0, 4)}00000001000000000000${hexByte(TOKEN_LENGTH)}${carried}0000010001`
}

/**
 * Finds the token in the payload of a packet that a door has let in by it; undefined if there are
 * too few bytes. No packet fits two carriers: the sixth of an attribute is no letter of a label.
 */
export function tokenIn(payload: Uint8Array): Uint8Array | undefined {
  const isStun = payload.length > TOKEN_LENGTH && payload[20] === 0 && payload[21] === 6
  const isDns = payload.length > TOKEN_LENGTH && payload[12] === TOKEN_LENGTH
  const from = TOKEN_AT[isStun ? 'stun' : isDns ? 'dns' : 'udp']
  const token = payload.subarray(from, from + TOKEN_LENGTH)
  return token.length === TOKEN_LENGTH ? token : undefined
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0')

export function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += hexByte(byte)
  return hex
}

export function bytesOf(hex: string): number[] {
  const bytes: number[] = []
  for (let at = 0; at < hex.length; at += 2) bytes.push(Number.parseInt(hex.slice(at, at + 2), 16))
  return bytes
}
