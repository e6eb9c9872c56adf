// An address as text → its family and canonical form, without Node. Pure.
import type { Address } from '../spec/model/address.js'

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`)

/**
 * Reads an IPv4 or IPv6 address; undefined for anything else, also for names, zones and octal
 * forms. An IPv4-mapped IPv6 address becomes IPv4, since that is what the packet has.
 */
export function readAddress(text: string): Address | undefined {
  if (IPV4.test(text)) return { family: 4, address: text }
  if (!/^[0-9A-Fa-f:.]+$/.test(text) || !text.includes(':')) return undefined
  // URLs are everywhere, and their parser writes addresses in RFC 5952's form.
  const url = `http://[${text}]/`
  if (!URL.canParse(url)) return undefined
  const address = new URL(url).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address)
  if (!mapped) return { family: 6, address }
  const bytes = mapped.slice(1).flatMap((half) => {
    const number = Number.parseInt(half, 16)
    return [number >> 8, number & 255]
  })
  return { family: 4, address: bytes.join('.') }
}
