// A packet's first bytes → its source and destination. Pure (RFC 791, RFC 8200).
import { addressText } from '../netlink/address-bytes.js'

interface PacketHead {
  /** In canonical form. */
  readonly source: string
  /** IANA's number. */
  readonly protocol: number
  /**
   * The destination port; undefined if the protocol has none, or if the packet is a fragment other
   * than the first.
   */
  readonly port?: number
  /** Only for UDP: the bytes after its header that were captured. */
  readonly data?: Uint8Array
}

const TCP = 6
const UDP = 17
/** SCTP (132), DCCP (33) and UDP-Lite (136) have their ports in the same place. */
const WITH_PORTS = new Set([TCP, UDP, 33, 132, 136])
const NAMES: Readonly<Record<number, string>> = { [TCP]: 'tcp', [UDP]: 'udp' }

/**
 * Headers that may be between IPv6's own and the packet's content (RFC 8200, section 4; RFC 4302).
 */
const FRAGMENT = 44
const AUTHENTICATION = 51
const EXTENSIONS = new Set([0, 43, 60, FRAGMENT, AUTHENTICATION])

/** Writes protocol and port as a spec does; undefined if a spec has no word for the protocol. */
export const formatService = ({ protocol, port }: PacketHead): string | undefined => {
  const name = NAMES[protocol]
  return name && port !== undefined ? `${name}/${port}` : undefined
}

/** Parses a packet's first bytes; undefined if the IP header is not complete. */
export function parsePacketHead(bytes: Uint8Array): PacketHead | undefined {
  const version = (bytes[0] ?? 0) >> 4
  if (version === 4) return parseFour(bytes)
  return version === 6 ? parseSix(bytes) : undefined
}

const read16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number)

function parseFour(bytes: Uint8Array): PacketHead | undefined {
  if (bytes.length < 20) return undefined
  const length = ((bytes[0] as number) & 15) * 4
  const isFirst = (read16(bytes, 6) & 0x1fff) === 0
  const source = addressText(4, bytes, 12)
  return withPort(source, bytes[9] as number, isFirst ? bytes.subarray(length) : undefined)
}

function parseSix(bytes: Uint8Array): PacketHead | undefined {
  if (bytes.length < 40) return undefined
  const source = addressText(6, bytes, 8)
  let protocol = bytes[6] as number
  let at = 40
  let isFirst = true
  while (EXTENSIONS.has(protocol) && at + 8 <= bytes.length) {
    const size = bytes[at + 1] as number
    if (protocol === FRAGMENT && read16(bytes, at + 2) >> 3 !== 0) isFirst = false
    const length =
      protocol === FRAGMENT ? 8 : protocol === AUTHENTICATION ? (size + 2) * 4 : (size + 1) * 8
    protocol = bytes[at] as number
    at += length
    if (!isFirst) break
  }
  return withPort(source, protocol, isFirst ? bytes.subarray(at) : undefined)
}

function withPort(source: string, protocol: number, content: Uint8Array | undefined): PacketHead {
  const hasPort = WITH_PORTS.has(protocol) && content !== undefined && content.length >= 4
  if (!hasPort) return { source, protocol }
  const port = read16(content, 2)
  return protocol === UDP
    ? // Its own length leaves out what pads a short frame.
      { source, protocol, port, data: content.subarray(8, read16(content, 4)) }
    : { source, protocol, port }
}
