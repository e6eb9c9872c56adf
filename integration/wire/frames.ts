// A packet's fields → the bytes of an Ethernet frame with all its checksums. Pure.
import type { Packet } from '../../lib/simulate/packet.js'
import { CLIENT, SERVER } from '../machine/namespaces.js'

/** The protocol numbers of an IP packet's content (RFC 791, 8200). */
const NUMBER = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 } as const
const SYN = 0x02

export type Addressed = Packet & { readonly destination: string }

/**
 * Makes the frame of a packet from the client's end. `sourcePort` of an echo request becomes its
 * identifier.
 */
export function frameOf(packet: Addressed): Buffer {
  const isIpv6 = packet.source.includes(':')
  const { segment, number, source, destination } = transportOf(packet, isIpv6)
  const header = isIpv6
    ? ipv6Header(number, segment.length, source, destination)
    : ipv4Header(number, segment.length, source, destination)
  const macs = [macBytes(SERVER.mac), macBytes(CLIENT.mac)]
  return Buffer.concat([...macs, etherType(isIpv6), header, segment])
}

/**
 * Returns what nft calls `th sport` and `th dport`. For an echo request that is its type and its
 * checksum.
 */
export function portsOf(packet: Addressed): [sport: number, dport: number] {
  const { segment } = transportOf(packet, packet.source.includes(':'))
  return [segment.readUInt16BE(0), segment.readUInt16BE(2)]
}

function transportOf(packet: Addressed, isIpv6: boolean) {
  const source = addressBytes(packet.source)
  const destination = addressBytes(packet.destination)
  const protocol = isIpv6 && packet.protocol === 'icmp' ? 'icmpv6' : packet.protocol
  const segment = segmentOf(packet, isIpv6)
  if (typeof protocol === 'number') return { segment, number: protocol, source, destination }
  const number = NUMBER[protocol]
  const length = Buffer.alloc(4)
  length.writeUInt32BE(segment.length)
  const pseudo = Buffer.concat([source, destination, length, Buffer.from([0, 0, 0, number])])
  const place = { tcp: 16, udp: 6, icmp: 2, icmpv6: 2 }[protocol]
  const sum = checksum(protocol === 'icmp' ? segment : Buffer.concat([pseudo, segment]))
  // RFC 768: a UDP checksum of zero means none.
  segment.writeUInt16BE(protocol === 'udp' && sum === 0 ? 0xffff : sum, place)
  return { segment, number, source, destination }
}

/** Makes a TCP, UDP or ICMP segment with a zero checksum. */
function segmentOf(packet: Packet, isIpv6: boolean): Buffer {
  const { protocol, sourcePort = 0, port = 0, flags = SYN, payload = '' } = packet
  const { sequence = 0 } = packet
  if (typeof protocol === 'number') {
    // The first four bytes differ between protocols, as ports would.
    const content = Buffer.alloc(Math.max(20, packet.length ?? 0))
    content.writeUInt16BE(0x2000 + protocol, 0)
    content.writeUInt16BE(sourcePort, 2)
    return content
  }
  const headerLength = protocol === 'tcp' ? 20 : 8
  const segment = Buffer.alloc(headerLength + (packet.length ?? payload.length / 2))
  segment.write(payload, headerLength, 'hex')
  if (protocol === 'icmp') {
    segment.writeUInt8(isIpv6 ? 128 : 8, 0)
    segment.writeUInt16BE(sourcePort, 4)
    segment.writeUInt16BE(1, 6)
    return segment
  }
  segment.writeUInt16BE(sourcePort, 0)
  segment.writeUInt16BE(port, 2)
  if (protocol === 'udp') {
    segment.writeUInt16BE(segment.length, 4)
    return segment
  }
  segment.writeUInt32BE(sequence, 4)
  segment.writeUInt8(5 << 4, 12)
  segment.writeUInt8(flags, 13)
  segment.writeUInt16BE(64240, 14)
  return segment
}

function ipv4Header(protocol: number, length: number, source: Buffer, destination: Buffer): Buffer {
  const header = Buffer.alloc(20)
  header.writeUInt8(0x45, 0)
  header.writeUInt16BE(20 + length, 2)
  header.writeUInt16BE(0x4000, 6)
  header.writeUInt8(64, 8)
  header.writeUInt8(protocol, 9)
  source.copy(header, 12)
  destination.copy(header, 16)
  header.writeUInt16BE(checksum(header), 10)
  return header
}

function ipv6Header(next: number, length: number, source: Buffer, destination: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt8(0x60, 0)
  header.writeUInt16BE(length, 4)
  header.writeUInt8(next, 6)
  header.writeUInt8(64, 7)
  return Buffer.concat([header, source, destination])
}

const etherType = (isIpv6: boolean): Buffer =>
  isIpv6 ? Buffer.from([0x86, 0xdd]) : Buffer.from([0x08, 0x00])

const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex')

/** Returns the ones' complement of the ones' complement sum of 16-bit words (RFC 1071). */
export function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [left = [], right = []] = address
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = new Array<string>(8 - left.length - right.length).fill('0')
  const groups = [...left, ...zeros, ...right]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}
