// A spec and packets with their times → what becomes of each, and who is let in at the end. Pure: no kernel, no clock.
import { buildAutomaton } from './automaton/build.js'
import { type Packet, Simulator } from './automaton/simulate.js'
import { KnockError } from './errors.js'
import { parseAddress } from './spec/address.js'
import type { KnockSpec } from './spec/generated/knock-types.js'
import { parseStep } from './spec/step.js'
import { validateSpec } from './spec/validate.js'
import { rolesByDoor, type Status, viewStatus } from './view/status.js'

/** A packet as a trace names it: `to` is `tcp/7000`, `udp/8000` or `icmp`. */
export interface TracePacket extends Omit<Packet, 'protocol' | 'port'> {
  readonly to: string
}

export interface SimulatedPacket extends TracePacket {
  /** `accept`: it passes our table, and the host's own rules judge it next. */
  readonly verdict: 'accept' | 'drop'
}

export interface Simulation {
  readonly packets: readonly SimulatedPacket[]
  /** The doors at the last packet's time. */
  readonly status: Status
}

/** A packet of a trace is wrong: its number, counted from 0, is in the message. */
export class PacketError extends KnockError {
  override readonly name = 'PacketError'
  readonly code = 'invalid-packet'
}

/**
 * Plays a trace through a spec without a kernel. The kernel's rules and this agree packet by packet.
 *
 * @param packets in the order of their times. Seconds; any start.
 * @throws SpecError with every problem of the spec.
 * @throws PacketError where a packet cannot be.
 */
export function simulateKnock(spec: KnockSpec, packets: readonly TracePacket[]): Simulation {
  const automaton = buildAutomaton(validateSpec(spec, 'simulateKnock'))
  const simulator = new Simulator(automaton)
  let last = Number.NEGATIVE_INFINITY
  const judged = packets.map((packet, index): SimulatedPacket => {
    const read = readPacket(packet, index, last)
    last = read.at
    return { ...packet, verdict: simulator.receive(read) }
  })
  const contents = {
    members: (set: string) =>
      simulator.members(set, last).map(({ key, expiresIn }) => {
        return { source: key, expiresIn: Math.floor(expiresIn) }
      }),
    counter: (name: string) => simulator.counter(name),
    fill: [],
    roles: rolesByDoor(automaton.sets.map(({ name }) => name)),
  }
  return { packets: judged, status: viewStatus(automaton.table, automaton.doors, contents) }
}

const isBelow = (value: unknown, limit: number): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit

/** What a packet may have beside its time and its ends. */
const PARTS: Readonly<Record<string, readonly [expected: string, (value: unknown) => boolean]>> = {
  sourcePort: ['a port from 0 to 65535', (value) => isBelow(value, 65536)],
  flags: ['TCP flags as a byte, from 0 to 255', (value) => isBelow(value, 256)],
  length: ['bytes of payload, from 0 to 65535', (value) => isBelow(value, 65536)],
  interface: ["an interface's name", (value) => typeof value === 'string' && value !== ''],
  state: [
    'new, established, related or invalid',
    (value) => ['new', 'established', 'related', 'invalid'].includes(value as string),
  ],
  connected: ['true or false', (value) => typeof value === 'boolean'],
  // What a simulation has printed can be played again.
  verdict: ['accept or drop', (value) => value === 'accept' || value === 'drop'],
}

function readPacket(packet: TracePacket, index: number, earliest: number): Packet {
  if (typeof packet !== 'object' || packet === null) {
    const got = JSON.stringify(packet)
    throw new PacketError(`simulateKnock: /${index}: expected a packet, got ${got}`)
  }
  const { to, ...rest } = packet
  const wrong = (part: keyof TracePacket, expected: string) =>
    new PacketError(
      `simulateKnock: /${index}/${part}: expected ${expected}, got ${JSON.stringify(packet[part])}`,
    )
  if (!Number.isFinite(packet.at) || packet.at < earliest)
    throw wrong('at', 'a time not before the last')
  const source = parseAddress(packet.source)
  if (!source) throw wrong('source', 'an IPv4 or IPv6 address')
  const destination =
    packet.destination === undefined ? undefined : parseAddress(packet.destination)
  if (packet.destination !== undefined && !destination) {
    throw wrong('destination', 'an IPv4 or IPv6 address')
  }
  const step = parseStep(to)
  if (!step || step.protocol === 'icmpv6') throw wrong('to', 'tcp/1..65535, udp/1..65535 or icmp')
  const { at: _at, source: _source, destination: _destination, ...parts } = rest
  for (const [key, value] of Object.entries(parts)) {
    const [expected, isRight] = PARTS[key] ?? ['no such key', () => false]
    if (value !== undefined && !isRight(value)) throw wrong(key as keyof TracePacket, expected)
  }
  return {
    // Every packet of a trace is a connection of its own unless it says otherwise.
    sourcePort: 1024 + index,
    ...rest,
    source: source.address,
    ...(destination && { destination: destination.address }),
    protocol: step.protocol,
    ...(step.port !== undefined && { port: step.port }),
  }
}
