// Sources, ports and times → named traces of packets; what passed → words. Pure.
import type { Packet } from '../../../lib/simulate/packet.js'

export interface Trace {
  readonly name: string
  /** The packets in words. */
  readonly sent: string
  /** The packets, sorted by their times. */
  readonly packets: readonly Packet[]
  /** What knocklib's table lets in, in the words of `letIn`. */
  readonly ours: string
  /** Why knocklib is right; only if the peer differs. */
  readonly why?: string
  /** Whether only the passing of any packet is reported, because there are many or equal ones. */
  readonly isMany?: boolean
  /** Whether the trace has so many sources that it would disturb other traces. */
  readonly isAlone?: boolean
}

/** Why knocklib is right in traces with many sources, or over IPv6. */
export const CROWD =
  'knocklib has room for 65,536 sources, not for 100, and a full set refuses ' +
  'newcomers and forgets nobody'
export const IPV6 = 'one table judges both families, and the recipe has rules for IPv4 only'

/** The sources of a trace; no other trace has them. */
export interface Cast {
  readonly block: number
  readonly a: string
  readonly b: string
  /** The IPv6 address of source a. */
  readonly a6: string
  readonly crowd: readonly string[]
}

export type Draft = Omit<Trace, 'packets'> & { packets(cast: Cast): readonly Packet[] }

/** Gives each trace its sources. */
export const cast = (drafts: readonly Draft[]): Trace[] =>
  drafts.map((draft, index) => ({ ...draft, packets: draft.packets(castOf(index + 1)) }))

const castOf = (block: number): Cast => ({
  block,
  a: `10.99.${block}.1`,
  b: `10.99.${block}.2`,
  a6: `fd00:99::${block.toString(16)}:1`,
  crowd: Array.from({ length: 100 }, (_, index) => `10.99.${block}.${101 + index}`),
})

/**
 * Makes SYNs to one port at some times, each from a source port of its own, as separate connect()
 * calls send them.
 */
export const syns = (source: string, port: number, times: readonly number[], from = 30000) =>
  times.map((at, index): Packet => {
    return { at, source, protocol: 'tcp', port, sourcePort: from + index }
  })

/** Makes the SYNs of one unanswered connect(): all from the same source port. */
export const repeated = (source: string, port: number, times: readonly number[], from = 30000) =>
  times.map((at): Packet => ({ at, source, protocol: 'tcp', port, sourcePort: from }))

/** Turns packets into UDP datagrams. */
export const asUdp = (packets: readonly Packet[]): Packet[] =>
  packets.map((packet) => ({ ...packet, protocol: 'udp' }))

/** Merges packets by their times. */
export const merge = (...parts: readonly (readonly Packet[])[]): Packet[] =>
  parts.flat().sort((a, b) => a.at - b.at)

/** Returns the times from 0 to `until` with this period, in seconds. */
export const every = (period: number, until: number): number[] =>
  Array.from({ length: Math.floor(until / period + 0.5) }, (_, index) => index * period)

/**
 * Says in words what passed to a service: for one connection whether, for several the times of
 * those that did. `through` may contain packets of other traces.
 */
export function letIn(
  { packets, isMany }: Trace,
  service: number,
  through: readonly Packet[],
): string {
  const own = new Set(
    packets.filter(({ protocol, port }) => protocol === 'tcp' && port === service),
  )
  const passed = through.filter((packet) => own.has(packet))
  if (passed.length === 0) return 'no'
  if (isMany || own.size === 1) return 'yes'
  return passed.map(({ at }) => `${Math.round(at * 10) / 10} s`).join(', ')
}
