// A packet of a trace, as the user wrote it → one that the simulator receives, or an error. Pure.

import { KnockError } from '../errors.js'
import { parseAddress } from '../spec/model/address.js'
import { NUMBER, parseProtocol } from '../spec/model/protocol.js'
import { parseStep } from '../spec/model/step.js'
import type { Packet, PacketParts } from './packet.js'

/** A packet as a trace names it. */
export interface TracePacket extends PacketParts {
  readonly to: string
}

/** A packet of a trace is wrong. The message has its index, counted from 0, or its line. */
export class PacketError extends KnockError {
  override readonly name = 'PacketError'
  readonly code = 'invalid-packet'
}

const isBelow = (value: unknown, limit: number): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit

/** The optional parts of a packet: what is expected, and the check. */
const PARTS: Readonly<Record<string, readonly [expected: string, (value: unknown) => boolean]>> = {
  sourcePort: ['a port from 0 to 65535', (value) => isBelow(value, 65536)],
  sequence: ['a sequence number of 32 bits', (value) => isBelow(value, 2 ** 32)],
  flags: ['TCP flags as a byte, from 0 to 255', (value) => isBelow(value, 256)],
  length: ['bytes of payload, from 0 to 65535', (value) => isBelow(value, 65536)],
  interface: ["an interface's name", (value) => typeof value === 'string' && value !== ''],
  state: [
    'new, established, related, invalid or untracked',
    (value) => ['new', 'established', 'related', 'invalid', 'untracked'].includes(value as string),
  ],
  payload: [
    'a payload in hex digits, two for each byte',
    (value) => typeof value === 'string' && /^([0-9a-f]{2})*$/i.test(value),
  ],
  connected: ['true or false', (value) => typeof value === 'boolean'],
  isReply: ['true or false', (value) => typeof value === 'boolean'],
  fragment: [
    'first, bare, second or later',
    (value) => ['first', 'bare', 'second', 'later'].includes(value as string),
  ],
  unreadable: ['true or false', (value) => typeof value === 'boolean'],
  // So that the packets which a simulation printed can be played again.
  verdict: ['accept or drop', (value) => value === 'accept' || value === 'drop'],
}

/**
 * Reads one packet.
 *
 * @param earliest - the time of the packet before it.
 * @throws PacketError if a part is wrong, or the packet is earlier than `earliest`.
 */
export function readPacket(packet: TracePacket, index: number, earliest: number): Packet {
  if (typeof packet !== 'object' || packet === null) {
    const got = JSON.stringify(packet)
    throw new PacketError(`simulateKnock: /${index}: expected a packet, got ${got}`)
  }
  const wrong = (part: string, expected: string) => {
    const got = JSON.stringify(packet[part as keyof TracePacket])
    return new PacketError(`simulateKnock: /${index}/${part}: expected ${expected}, got ${got}`)
  }
  const { at, to, source, destination, ...parts } = packet
  if (!Number.isFinite(at) || at < earliest)
    throw wrong('at', 'a time not before that of the last packet')
  const addresses = readAddresses(
    { source, ...(destination !== undefined && { destination }) },
    wrong,
  )
  const end = readEnd(to)
  if (!end)
    throw wrong('to', 'tcp/1..65535, udp/1..65535, icmp or another protocol such as protocol/gre')
  for (const [key, value] of Object.entries(parts)) {
    const [expected, isRight] = PARTS[key] ?? ['no such key', () => false]
    if (value !== undefined && !isRight(value)) throw wrong(key, expected)
  }
  return {
    // So that each packet is a connection of its own unless the trace says otherwise.
    sourcePort: 1024 + index,
    ...parts,
    ...addresses,
    at,
    ...end,
  }
}

/** Reads the destination: a port, or a protocol without ports. Undefined if it is neither. */
function readEnd(to: unknown): Pick<Packet, 'protocol' | 'port'> | undefined {
  if (typeof to !== 'string') return undefined
  if (to.startsWith('protocol/')) {
    const number = parseProtocol(to.slice('protocol/'.length))
    const hasPort = number === NUMBER.tcp || number === NUMBER.udp
    return number === undefined || hasPort ? undefined : { protocol: number }
  }
  const step = parseStep(to)
  if (!step || step.protocol === 'icmpv6') return undefined
  const { protocol, port } = step
  return { protocol, ...(port !== undefined && { port }) }
}

type Ends = Pick<Packet, 'source' | 'destination'>

/**
 * Reads the addresses into canonical text.
 *
 * @throws PacketError if one is none.
 */
function readAddresses(ends: Ends, wrong: (part: string, expected: string) => PacketError): Ends {
  const entries = Object.entries(ends).map(([part, text]) => {
    const address = parseAddress(text)
    if (!address) throw wrong(part, 'an IPv4 or IPv6 address')
    return [part, address.address]
  })
  return Object.fromEntries(entries) as Ends
}
