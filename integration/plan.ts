// Random choices → traces for the kernel whose outcome does not depend on a third of a second. Pure.
import fc from 'fast-check'
import type { Packet } from '../lib/automaton/simulate.js'
import type { ValidSpec } from '../lib/spec/model.js'
import { type Scale, SERVERS, spec } from './arbitrary-spec.js'
import { type Event, events, packetsOf } from './arbitrary-trace.js'
import { placesOf } from './state.js'
import { hear, oracleOf, same, simulatorOf } from './witnesses.js'

/** Seconds by which a packet or a look at the sets may be off. */
export const MARGIN = 0.3

const SCALE: Scale = { stepTimeout: [2, 3], timeout: [3, 4, 6], open: [2, 4, 30] }
/** Far from the timeouts, and from their sums with each other. */
const GAPS = [0, 0, 0, 0, 0.1, 0.9, 1.2, 2.8, 3.8]
/** No trace is longer, in seconds. */
const LENGTH = 9
/** How often each trace is tried with its packets moved about. */
const VARIANTS = 12

export interface Trace {
  readonly packets: readonly (Packet & { readonly destination: string })[]
  readonly sources: readonly string[]
}

/** The traces of one ruleset, which are played at the same time. */
export interface Plan {
  readonly spec: ValidSpec
  readonly traces: readonly Trace[]
}

/** Sources that no other trace of the plan has; those of the tenth are trusted where any are. */
export const sourcesOf = (trace: number): string[] => {
  const group = trace.toString(16)
  return [`10.99.${trace}.1`, `fd00:99::${group}:1`, `10.99.${trace}.2`, `fd00:99::${group}:2`]
}

export function makePlans(seed: number, plans: number, traces: number): Plan[] {
  const specs = fc.sample(spec(SCALE), { seed, numRuns: plans })
  const candidates = fc.sample(events(GAPS, 20), { seed, numRuns: plans * traces * 4 })
  return specs.map((spec, place) => ({
    spec,
    traces: settledTraces(spec, candidates.slice(place * traces * 4), traces),
  }))
}

function settledTraces(spec: ValidSpec, candidates: readonly Event[][], most: number): Trace[] {
  const traces: Trace[] = []
  for (const candidate of candidates) {
    if (traces.length === most) break
    const sources = sourcesOf(traces.length + 1)
    // Half the traces stay with one source: more of them get somewhere.
    const used = traces.length % 2 === 0 ? sources.slice(0, 1 + (traces.length % 4) / 2) : sources
    // Nobody listens in the kernel's traces: no packet is part of a connection.
    const untimed = packetsOf(spec, candidate, used, ['eth0']).map((packet) => ({
      ...packet,
      connected: false,
    }))
    const packets = schedule(untimed, traces.length)
    const trace = { packets, sources }
    if ((packets.at(-1)?.at ?? 0) < LENGTH && isSettled(spec, trace)) traces.push(trace)
  }
  return traces
}

/** Traces begin one after the other, so that not all packets come at once. */
function schedule(packets: ReturnType<typeof packetsOf>, trace: number): Trace['packets'] {
  let at = (trace % 16) / 10
  return packets.map(({ gap, ...packet }) => {
    at += gap
    const { destination = SERVERS[0] } = packet
    return { ...packet, destination, at }
  })
}

/** Whether all comes out the same with each packet a little earlier or later, and for each reading of the text. */
export function isSettled(spec: ValidSpec, { packets }: Trace): boolean {
  const outcome = (packets: readonly Packet[]) => {
    const { verdicts, states } = hear(simulatorOf(spec), packets, [Number.MAX_SAFE_INTEGER])
    return { verdicts, counters: Object.values(states[0] ?? {}).map(({ counters }) => counters) }
  }
  const expected = outcome(packets)
  const strict = hear(oracleOf(spec), packets, [LENGTH])
  const lenient = hear(oracleOf(spec, { remembers: 'all' }), packets, [LENGTH])
  return same(strict, lenient) && variantsOf(packets).every((v) => same(outcome(v), expected))
}

/** Whether the sources of a trace are in the same place shortly before and after a moment, and send nothing then. */
export function isSettledAt(spec: ValidSpec, trace: Trace, at: number): boolean {
  if (trace.packets.some((packet) => Math.abs(packet.at - at) < MARGIN)) return false
  const places = [trace.packets, ...variantsOf(trace.packets)].flatMap((packets) =>
    hear(simulatorOf(spec), packets, [at - MARGIN, at, at + MARGIN]).states.map((state) =>
      placesOf(state, trace.sources),
    ),
  )
  return places.every((place) => same(place, places[0]))
}

/** The packets in their order, each moved by a pseudo-random part of the margin; the same moves for the same trace. */
function variantsOf(packets: Trace['packets']): Packet[][] {
  return Array.from({ length: VARIANTS }, (_, variant) => {
    let last = Number.NEGATIVE_INFINITY
    return packets.map((packet, index) => {
      const turn = Math.sin((variant + 1) * 12.9898 + index * 78.233) * 43758.5453
      const part = variant < 2 ? ((index + variant) % 2) * 2 - 1 : (turn - Math.floor(turn)) * 2 - 1
      last = Math.max(last, packet.at + part * MARGIN)
      return { ...packet, at: last }
    })
  })
}
