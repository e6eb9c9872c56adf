// Traces with names, and what makes them: who sends what and when. Pure.
import type { Packet } from '../../../lib/simulate/packet.js'

export interface Trace {
  readonly name: string
  /** What is sent, in words. */
  readonly sent: string
  /** In the order of their times. */
  readonly packets: readonly Packet[]
  /** What our table lets in, in the words of `letIn`. */
  readonly ours: string
  /** Why ours is right; only where the peer does otherwise. */
  readonly why?: string
  /** Its packets are so many, or so much alike, that only whether any gets through is reported. */
  readonly isMany?: boolean
  /** Its sources are so many that they would disturb those of other traces. */
  readonly isAlone?: boolean
}

/** Why ours is right, where many come or one comes over IPv6. */
export const CROWD =
  'knocklib has room for 65,536 sources, not for 100, and a full set refuses ' +
  'newcomers and forgets nobody'
export const IPV6 = 'one table judges both families, and the recipe has rules for IPv4 only'

/** The sources of one trace, which no other has. */
export interface Cast {
  readonly block: number
  readonly a: string
  readonly b: string
  /** Over IPv6. */
  readonly a6: string
  readonly crowd: readonly string[]
}

export type Draft = Omit<Trace, 'packets'> & { packets(cast: Cast): readonly Packet[] }

/** Gives each trace its cast. */
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
 * SYNs to one port at some times, each from a source port of its own: as many calls of connect().
 */
export const syns = (source: string, port: number, times: readonly number[], from = 30000) =>
  times.map((at, index): Packet => {
    return { at, source, protocol: 'tcp', port, sourcePort: from + index }
  })

/** One SYN, sent again from the same source port: one connect() that nobody answers. */
export const repeated = (source: string, port: number, times: readonly number[], from = 30000) =>
  times.map((at): Packet => ({ at, source, protocol: 'tcp', port, sourcePort: from }))

/** The same packets as datagrams. */
export const asUdp = (packets: readonly Packet[]): Packet[] =>
  packets.map((packet) => ({ ...packet, protocol: 'udp' }))

/** Packets of several, in the order of their times. */
export const merge = (...parts: readonly (readonly Packet[])[]): Packet[] =>
  parts.flat().sort((a, b) => a.at - b.at)

/** Times from one to another, so many a second. */
export const every = (period: number, until: number): number[] =>
  Array.from({ length: Math.floor(until / period + 0.5) }, (_, index) => index * period)

/**
 * What got through to a service, in words: of one attempt to connect whether, of several which, by
 * their times. `through` may hold packets of other traces.
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
