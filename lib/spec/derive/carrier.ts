// A token's bytes → what they are on the wire, by the carrier of the packet. Pure.

/**
 * What bears a token: a datagram of nothing else, the connectivity check of a browser's WebRTC
 * (STUN, RFC 8489), or a question to a name server (RFC 1035).
 */
export type Carrier = 'udp' | 'stun' | 'dns'

/** RFC 4648, sections 4 and 6, in lower case. */
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** Characters of a token that is text: as many bytes as every token has on the wire. */
const TEXT_LENGTH = 16

/**
 * Writes a token as its carrier shows it: 16 characters, or undefined for bytes. A browser takes
 * base64 for a user's name, which holds the token's first 12 bytes; a name server's client keeps
 * base32 as it is, which holds the first 10.
 *
 * @param token - 32 hex digits.
 */
export function tokenText(carrier: Carrier, token: string): string | undefined {
  if (carrier === 'udp') return undefined
  const [alphabet, bits] = carrier === 'stun' ? [BASE64, 6] : [BASE32, 5]
  const digits = bytesOf(token)
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  const character = (_: unknown, index: number) =>
    alphabet[Number.parseInt(digits.slice(index * bits, (index + 1) * bits), 2)]
  return Array.from({ length: TEXT_LENGTH }, character).join('')
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
  return `${id.slice(0, 4)}00000001000000000000${hexByte(TEXT_LENGTH)}${carried}0000010001`
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0')

export const hexOf = (bytes: Uint8Array): string => Array.from(bytes, hexByte).join('')

export const bytesOf = (hex: string): number[] =>
  Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  )
