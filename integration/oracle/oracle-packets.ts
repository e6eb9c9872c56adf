// A packet and a part of a spec → whether they match. Pure; the oracle's own reading of both.
import { BlockList } from 'node:net'
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidDoor, ValidSpec } from '../../lib/spec/model/model.js'
import type { Cidr, Prefix, Service, Step, TcpFlags } from '../../lib/spec/model/packet-model.js'

const SYN: TcpFlags = { mask: 0b10111, value: 0b00010 }

export function isStep(step: Step, door: ValidDoor, packet: Packet): boolean {
  const { protocol, port, length } = step
  if (!isAt(door, packet)) return false
  if (length !== undefined && !hasLength(packet, length)) return false
  if (protocol === 'icmp') return packet.protocol === 'icmp'
  if (protocol === 'icmpv6') return packet.protocol === 'icmp' && packet.source.includes(':')
  if (protocol !== packet.protocol || port !== packet.port) return false
  return protocol === 'udp' || hasFlags(packet, step.flags ?? SYN)
}

/** Whether a packet has a length. A fragment of a datagram shows it, one of a ping does not. */
function hasLength({ protocol, length, payload = '', fragment }: Packet, asked: number): boolean {
  if (protocol === 'icmp' && fragment !== undefined) return false
  return asked === (length ?? payload.length / 2)
}

const hasFlags = ({ flags = SYN.value }: Packet, { mask, value }: TcpFlags): boolean =>
  (flags & mask) === value

export const isSyn = (packet: Packet): boolean => packet.protocol === 'tcp' && hasFlags(packet, SYN)

/** Whether a packet other than a plain SYN can have the step's flags. */
export function isOdd({ protocol, flags }: Step): boolean {
  if (protocol !== 'tcp' || !flags) return false
  return Array.from({ length: 256 }, (_, byte) => byte).some(
    (byte) => (byte & flags.mask) === flags.value && (byte & SYN.mask) !== SYN.value,
  )
}

export const isAt = (
  { interfaces, addresses }: ValidDoor,
  { destination, interface: name }: Packet,
): boolean =>
  (interfaces.length === 0 || isOnInterface(interfaces, name)) &&
  (addresses.length === 0 ||
    (destination !== undefined && addresses.some((cidr) => contains(cidr, destination))))

export function isService(door: ValidDoor, packet: Packet, kind: 'ports' | 'whole'): boolean {
  if (!isAt(door, packet)) return false
  const services = door.services.filter(({ ports }) => (ports === undefined) === (kind === 'whole'))
  return services.some((service) => covers(service, packet))
}

export function covers({ protocol, ports }: Service, packet: Packet): boolean {
  // `any` hides TCP and UDP, and pings; other protocols stay reachable.
  const isHidden = typeof packet.protocol !== 'number'
  if (protocol === 'any' ? !isHidden : protocol !== packet.protocol) return false
  if (!ports) return true
  return packet.port !== undefined && ports.from <= packet.port && packet.port <= ports.to
}

/** Whether a packet asks for a connection: SYN without ACK, whatever other flags (RFC 9293). */
export const asks = ({ protocol, flags = SYN.value }: Packet): boolean =>
  protocol === 'tcp' && (flags & 0b10010) === 0b00010

/** Whether a packet's flags say that it is in the middle of a connection. */
export const isLater = ({ protocol, flags = SYN.value }: Packet): boolean =>
  protocol === 'tcp' && (flags & 0b00010) === 0

/** Returns the key of a packet's flow. A retransmitted packet has the same sequence number. */
export const flowOf = ({ source, sourcePort, port, sequence = 0 }: Packet): string =>
  `${source} ${sourcePort} ${port} ${sequence}`

/**
 * Cached answers by block and address, because Node's are slow and the same ones are needed often.
 */
const answers = new WeakMap<Cidr, Map<string, boolean>>()

export function contains(block: Cidr, other: string): boolean {
  const { family, address, prefixLength } = block
  if ((family === 6) !== other.includes(':')) return false
  const known = answers.get(block) ?? new Map<string, boolean>()
  answers.set(block, known)
  const answer = known.get(other)
  if (answer !== undefined) return answer
  const list = new BlockList()
  const type = family === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(address, prefixLength, type)
  const isWithin = list.check(other, type)
  known.set(other, isWithin)
  return isWithin
}

/** Blocks that were found before, by length and address. */
const blocks = new Map<string, string>()

/** Returns the first address of the block around an address; the address itself without one. */
export function blockAround(source: string, prefix: Prefix | undefined): string {
  if (!prefix) return source
  const isIpv6 = source.includes(':')
  const length = prefix[isIpv6 ? 6 : 4]
  const key = `${length} ${source}`
  const known = blocks.get(key)
  if (known !== undefined) return known
  const [size, radix] = isIpv6 ? [16, 16] : [8, 10]
  const groups = isIpv6 ? groupsOf(source) : source.split('.').map(Number)
  const kept = groups.map((group, index) => {
    const bits = Math.min(Math.max(length - index * size, 0), size)
    return (group >> (size - bits)) << (size - bits)
  })
  const text = kept.map((group) => group.toString(radix)).join(isIpv6 ? ':' : '.')
  // Node writes an IPv6 address in a URL in its shortest form (RFC 5952).
  const block = isIpv6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text
  blocks.set(key, block)
  return block
}

function groupsOf(source: string): number[] {
  const [head, tail] = source.split('::').map((part) => part.split(':').filter((one) => one !== ''))
  const [left = [], right = []] = [head, tail]
  const zeros = new Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16))
}

export function isOnInterface(names: readonly string[], name = 'eth0'): boolean {
  if (names.length === 0) return name !== 'lo'
  return names.some((own) => (own.endsWith('*') ? name.startsWith(own.slice(0, -1)) : own === name))
}

/** Whether conntrack comes before a spec's hook. */
export const isStateful = ({ hook }: ValidSpec): boolean => hook === 'input' || hook === 'forward'

/** Whether a packet begins something, as far as the hook can know. */
export function startsSomething(spec: ValidSpec, packet: Packet): boolean {
  if (!isStateful(spec)) return isSyn(packet)
  const { state = 'new' } = packet
  return state === 'new' || (isSyn(packet) && state !== 'related' && state !== 'invalid')
}
