// A door, a source and a time → whether the source has a grant, and its record. States what a grant
// is.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidDoor } from '../../lib/spec/model/model.js'
import type { OracleEvents } from './oracle-events.js'
import type { Guard } from './oracle-guard.js'
import { blockAround } from './oracle-packets.js'

export interface Counters {
  /** Packets that are a step of the door, or that are judged at the port of a timed knock. */
  knocks: number
  grants: number
  /** Closing knocks, and grants whose last connection was made. */
  closes: number
  /** Attempts ended by a packet that does not fit. */
  resets: number
  /** Packets to the port of a token without a valid unused token. */
  wrong: number
  /** Packets to the service that were dropped. */
  denied: number
}

interface Grant {
  until: number
  used: number
}

/** One knock of one door. */
export interface Knocked {
  readonly door: Door
  readonly guard: Guard
  /** `open`, `open2` and so on, or `close`, `close2` and so on. */
  readonly id: string
  readonly type: string
}

export interface Door {
  readonly spec: ValidDoor
  readonly events: OracleEvents
  readonly grants: Map<string, Grant>
  /** Until when the rest of each source's handshake passes. */
  readonly begun: Map<string, number>
  /** Until when the traffic of each source does not renew its grant again. */
  readonly renewed: Map<string, number>
  /** Used tokens and digests of used one-time sequences, with the time of their use. */
  readonly spent: Map<string, number>
  /** Until when a source may send a token again that it used, by a carrier that repeats itself. */
  readonly repeating: Map<string, number>
  readonly counters: Counters
  /** The number of grants by each type of knock over each family. */
  readonly made: Map<string, number>
}

export const doorOf = (spec: ValidDoor, events: OracleEvents): Door => ({
  spec,
  events,
  grants: new Map(),
  begun: new Map(),
  renewed: new Map(),
  spent: new Map(),
  repeating: new Map(),
  counters: { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 },
  made: new Map(),
})

/** Seconds for which a source's packets without SYN pass after its connection was counted. */
const HANDSHAKE = 60

/** The source of a grant of a door that opens for everyone. */
export const EVERYONE = 'everyone'

const holderOf = (door: Door, source: string): string =>
  door.spec.open.scope === 'everyone' ? EVERYONE : userOf(door, source)

/** Returns who uses a grant: the address, or the block around it. */
export const userOf = ({ spec }: Door, source: string): string =>
  blockAround(source, spec.open.prefix)

/** Makes a grant. `used`: how many connections it has already made. */
export function grant({ door, guard, type }: Knocked, packet: Packet, used = 0): void {
  const { source, at } = packet
  const { open } = door.spec
  const label = `${type}/${source.includes(':') ? 6 : 4}`
  door.made.set(label, (door.made.get(label) ?? 0) + 1)
  door.counters.grants += 1
  guard.forgive(packet)
  if (used > 0 && open.connections !== undefined)
    door.begun.set(userOf(door, source), at + HANDSHAKE)
  if (used !== open.connections)
    door.grants.set(holderOf(door, source), { until: at + open.for, used })
}

export function revoke(door: Door, source: string): void {
  door.grants.delete(holderOf(door, source))
}

export function isGranted(door: Door, { source, at }: Packet): boolean {
  const grant = door.grants.get(holderOf(door, source))
  return grant !== undefined && at < grant.until
}

/** Uses a grant for a connection. */
export function use(door: Door, packet: Packet): void {
  const { source, at } = packet
  const { open } = door.spec
  const holder = holderOf(door, source)
  const grant = door.grants.get(holder) as Grant
  grant.used += 1
  if (open.connections !== undefined) door.begun.set(userOf(door, source), at + HANDSHAKE)
  if (grant.used === open.connections) {
    door.grants.delete(holder)
    door.counters.closes += 1
    // A door that redirects does not log the end of the grant.
    if (!open.redirectTo) door.events.met(door, 'closed', packet)
  } else if (open.refresh) grant.until = at + open.for
}

/** How often traffic renews a grant at the most, within the time for which the door opens. */
const RENEWALS = 8

/**
 * Receives a packet that a source sends in a connection of the door: the door stays open as long as
 * the source talks, if the spec says so.
 */
export function talk(door: Door, packet: Packet): void {
  const { source, at } = packet
  const { open } = door.spec
  if (open.refresh !== 'traffic' || !isGranted(door, packet)) return
  const holder = holderOf(door, source)
  if (at < (door.renewed.get(holder) ?? 0)) return
  const grant = door.grants.get(holder) as Grant
  grant.until = at + open.for
  door.renewed.set(holder, at + Math.floor(open.for / RENEWALS))
}
