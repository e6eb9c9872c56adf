// Steps and services, as the user wrote them ↔ objects. Pure.
import type { PortRange, Service, Step, TcpFlags } from './packet-model.js'
import { formatProtocol, insteadOfProtocol, parseProtocol } from './protocol.js'

/** The bits of the flags byte (RFC 9293, section 3.1; RFC 3168). */
const FLAGS: ReadonlyMap<string, number> = new Map([
  ['fin', 0x01],
  ['syn', 0x02],
  ['rst', 0x04],
  ['psh', 0x08],
  ['ack', 0x10],
  ['urg', 0x20],
  ['ece', 0x40],
  ['cwr', 0x80],
])

/** The flags of a connection's first packet: SYN without FIN, RST and ACK. */
export const SYN: TcpFlags = { mask: 0x17, value: 0x02 }

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65535

/** Reads `tcp/7000`, `udp/8000`, `icmp` or `icmpv6`; undefined for anything else. */
export function parseStep(text: string): Step | undefined {
  if (text === 'icmp' || text === 'icmpv6') return { protocol: text }
  const match = /^(tcp|udp)\/([1-9][0-9]{0,4})$/.exec(text)
  if (!match || !isPort(Number(match[2]))) return undefined
  return { protocol: match[1] as 'tcp' | 'udp', port: Number(match[2]) }
}

/**
 * Reads a step as `parseStep` does, or as Debian's knock writes it: `7000`, `7000:tcp`, `8000:udp`.
 */
export function parseKnockStep(text: string): Step | undefined {
  const knock = /^([1-9][0-9]{0,4})(?::(tcp|udp))?$/.exec(text)
  return parseStep(knock ? `${knock[2] ?? 'tcp'}/${knock[1]}` : text)
}

/**
 * Reads `tcp/22`, `udp/8000-8010`, `tcp`, `udp`, `any`, `protocol/sctp` or `protocol/132`.
 * Undefined for anything else, also for a range that runs backwards and for a protocol that must be
 * written in another way.
 */
export function parseService(text: string): Service | undefined {
  if (text === 'any' || text === 'tcp' || text === 'udp') return { protocol: text }
  const named = /^protocol\/(.*)$/.exec(text)
  if (named) {
    const number = parseProtocol(named[1] as string)
    const isFit = number !== undefined && insteadOfProtocol(number) === undefined
    return isFit ? { protocol: number } : undefined
  }
  const match = /^(tcp|udp)\/([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$/.exec(text)
  if (!match) return undefined
  const from = Number(match[2])
  const to = match[3] === undefined ? from : Number(match[3])
  if (!isPort(from) || !isPort(to) || from > to) return undefined
  return { protocol: match[1] as 'tcp' | 'udp', ports: { from, to } }
}

/** Reads `syn,!ack`; undefined if a flag is unknown, or asked for both set and clear. */
export function parseFlags(text: string): TcpFlags | undefined {
  let set = 0
  let clear = 0
  for (const word of text.split(',')) {
    const bit = FLAGS.get(word.replace(/^!/, ''))
    if (bit === undefined) return undefined
    if (word.startsWith('!')) clear |= bit
    else set |= bit
  }
  return set & clear ? undefined : { mask: set | clear, value: set }
}

/** Writes flags as `parseFlags` reads them. */
export const formatFlags = ({ mask, value }: TcpFlags): string =>
  [...FLAGS]
    .filter(([, bit]) => mask & bit)
    .map(([name, bit]) => (value & bit ? name : `!${name}`))
    .join(',')

/** Writes a service as `parseService` reads it. */
export function formatService({ protocol, ports }: Service): string {
  if (typeof protocol === 'number') return `protocol/${formatProtocol(protocol)}`
  if (!ports) return protocol
  return `${protocol}/${ports.from}${ports.to === ports.from ? '' : `-${ports.to}`}`
}

/** Writes protocol and port, without flags and length. */
export function formatStep({ protocol, port }: Step): string {
  return port === undefined ? protocol : `${protocol}/${port}`
}

/** Whether a step can match packets other than a plain SYN. conntrack may call those invalid. */
export const isOdd = ({ flags }: Step): boolean =>
  flags !== undefined &&
  ((flags.mask & SYN.mask) !== SYN.mask || (flags.value & SYN.mask) !== SYN.value)

/** Whether two services share a port. */
export function servicesOverlap(a: Service, b: Service): boolean {
  if (!protocolsMeet(a.protocol, b.protocol)) return false
  return !a.ports || !b.ports || rangesOverlap(a.ports, b.ports)
}

/** `any` includes TCP and UDP, and no protocol that is named by its number. */
function protocolsMeet(a: Service['protocol'], b: Service['protocol']): boolean {
  const isEither = a === 'any' || b === 'any'
  return a === b || (isEither && typeof a !== 'number' && typeof b !== 'number')
}

/**
 * Whether a step's port belongs to a service that names ports. A whole-protocol service names none.
 */
export function stepMeetsService(step: Step, service: Service): boolean {
  if (step.port === undefined || step.protocol !== service.protocol || !service.ports) return false
  return rangesOverlap({ from: step.port, to: step.port }, service.ports)
}

/** Whether one packet can match both steps. */
export function stepsMeet(a: Step, b: Step): boolean {
  const [left, right] = [a.flags ?? SYN, b.flags ?? SYN]
  return (
    // `icmp` matches echo requests of both families.
    a.protocol.replace('v6', '') === b.protocol.replace('v6', '') &&
    a.port === b.port &&
    (a.length === undefined || b.length === undefined || a.length === b.length) &&
    ((left.value ^ right.value) & left.mask & right.mask) === 0
  )
}

function rangesOverlap(a: PortRange, b: PortRange): boolean {
  return a.from <= b.to && b.from <= a.to
}
