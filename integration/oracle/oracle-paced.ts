// A rate or rhythm and a packet → its verdict, and the source's new stage. States the timed knocks.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidRate, ValidRhythm } from '../../lib/spec/model/model.js'
import type { KnockPort } from '../../lib/spec/model/packet-model.js'
import { grant, type Knocked } from './oracle-door.js'

export interface Paced extends Knocked {
  readonly kind: 'paced'
  readonly knock: ValidRate | ValidRhythm
  readonly ports: readonly KnockPort[]
  /** When each source's first packet came, and how many have come. */
  readonly sources: Map<string, { first: number; count: number }>
  /** Until when each source's next connection is let through, after a rhythm. */
  readonly armed: Map<string, number>
  /** Until when each source is ignored. */
  readonly penalties: Map<string, number>
}

/**
 * The role of a packet's port: knock port, knock port and port of the service, or only port of the
 * service.
 */
export type Place = 'knock' | 'both' | 'service'

/** Judges a packet. Returns whether it is let through. */
export function judge(paced: Paced, packet: Packet, place: Place): boolean {
  if (isPenalised(paced, packet)) punish(paced, packet)
  else if (isDone(paced, packet)) {
    if (place === 'knock' || isEarly(paced, packet)) spoil(paced, packet, place)
    else return letThrough(paced, packet)
  } else if (place !== 'service') count(paced, packet)
  return false
}

/** Whether a packet to a port of the service matters to the attempt. */
export const isConcerned = (paced: Paced, packet: Packet): boolean =>
  isPenalised(paced, packet) || isDone(paced, packet)

const isPenalised = ({ penalties, guard }: Paced, packet: Packet): boolean =>
  packet.at < (penalties.get(guard.knockerOf(packet)) ?? 0)

/** Whether all knocks are done and only the connection is missing. */
function isDone(paced: Paced, packet: Packet): boolean {
  const source = paced.guard.knockerOf(packet)
  if (paced.knock.type === 'rhythm') return packet.at < (paced.armed.get(source) ?? 0)
  return countOf(paced, source, packet.at) === paced.knock.hits
}

function isEarly({ knock, sources, guard }: Paced, packet: Packet): boolean {
  const first = sources.get(guard.knockerOf(packet))?.first
  return knock.type === 'rate' && first !== undefined && packet.at - first < knock.min
}

function punish({ penalties, knock, guard }: Paced, packet: Packet): void {
  penalties.set(guard.knockerOf(packet), packet.at + knock.penalty)
}

/**
 * Ends the attempt as wrong. The log has no stage, because the kernel knows the number of packets
 * only at the end of the attempt.
 */
function spoil(paced: Paced, packet: Packet, at?: Place): void {
  const of = lengthOf(paced.knock)
  paced.door.events.knocked(paced, 'reset', packet, at === undefined ? {} : { stage: of, of })
  forget(paced, packet)
  punish(paced, packet)
  paced.door.counters.resets += 1
  // No strike at the service's port, which is no secret.
  if (at !== 'service') paced.guard.strike(packet)
}

function letThrough(paced: Paced, packet: Packet): true {
  forget(paced, packet)
  grant(paced, packet, 1)
  const of = lengthOf(paced.knock)
  paced.door.events.knocked(paced, 'granted', packet, { stage: of, of })
  return true
}

function forget({ sources, armed, guard }: Paced, packet: Packet): void {
  const source = guard.knockerOf(packet)
  sources.delete(source)
  armed.delete(source)
}

function count(paced: Paced, packet: Packet): void {
  const { knock, sources, armed } = paced
  const { at } = packet
  const source = paced.guard.knockerOf(packet)
  const before = countOf(paced, source, at)
  const first = before > 0 ? (sources.get(source)?.first ?? at) : at
  if (knock.type === 'rhythm' && !isInRhythm(knock, before + 1, at - first)) {
    spoil(paced, packet)
    return
  }
  sources.set(source, { first, count: before + 1 })
  const place = { stage: before + 1, of: lengthOf(knock) }
  paced.door.events.knocked(paced, 'knock', packet, place)
  if (knock.type === 'rhythm' && before + 1 === total(knock)) {
    sources.delete(source)
    armed.set(source, at + knock.window)
  }
}

/** Whether the `number`th packet is in time if it comes `seconds` after the first. */
function isInRhythm(knock: ValidRhythm, number: number, seconds: number): boolean {
  let burst = 0
  for (let rest = number; rest > 0; burst += 1) rest -= knock.counts[burst] as number
  return endOf(knock, burst - 1) <= seconds && seconds < endOf(knock, burst)
}

/** Returns the seconds from the first packet to the end of a burst's window. */
const endOf = ({ window }: ValidRhythm, burst: number): number =>
  burst === 0 ? 0 : Math.ceil((burst - 0.5) * window)

const total = ({ counts }: ValidRhythm): number => counts.reduce((sum, next) => sum + next, 0)

/** Returns how many packets a knock has before the connection. */
const lengthOf = (knock: ValidRate | ValidRhythm): number =>
  knock.type === 'rate' ? knock.hits : total(knock)

/** Returns the seconds from the first packet until the attempt is forgotten. */
const lifeOf = (knock: ValidRate | ValidRhythm): number =>
  knock.type === 'rate' ? knock.max : endOf(knock, knock.counts.length)

/** Returns the seconds from the first packet to the last that can belong to the attempt. */
export const longest = (knock: ValidRate | ValidRhythm): number =>
  knock.type === 'rate' ? knock.max : lifeOf(knock) + knock.window

/** Returns how many packets of its attempt a source has sent; 0 if none is under way. */
export function countOf({ knock, sources }: Paced, source: string, at: number): number {
  const record = sources.get(source)
  return record && at - record.first < lifeOf(knock) ? record.count : 0
}
