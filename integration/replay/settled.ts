// Traces for the kernel → whether a third of a second can change their outcome, and the stages that
// are certain. Pure.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { EVERYONE } from '../oracle/oracle-door.js'
import { blockAround } from '../oracle/oracle-packets.js'
import {
  canonical,
  type Model,
  type Outcome,
  oracleOf,
  runModel,
  same,
  simulatorOf,
} from './models.js'
import { guardPlacesOf, placesOf } from './state.js'

/** Seconds by which a packet or a listing may be early or late. */
export const MARGIN = 0.3

/** The longest trace in seconds. */
export const LENGTH = 9
/**
 * The most places in which a trace is stretched or compressed, to see whether that matters.
 */
const CUTS = 24
/** Random variations of the packets' times besides. */
const VARIANTS = 8
export interface Trace {
  /** Times are in seconds from the plan's start. */
  readonly packets: readonly (Packet & { readonly destination: string })[]
  readonly sources: readonly string[]
  /** The number of random traces that it was made of. */
  readonly parts: number
}

/** The traces for one ruleset, played at the same time. */
export interface Plan {
  readonly spec: ValidSpec
  /** In seconds since 1970, for oracle and simulator only: the kernel has its own time. */
  readonly start: number
  readonly traces: readonly Trace[]
  /** From how many doors on they share sets and rules. */
  readonly shareFrom?: number
}

/** Returns the outcome of the oracle or the simulator, with states at some times of the plan. */
export function outcomeOf(
  { start }: Pick<Plan, 'start'>,
  model: Model,
  packets: readonly Packet[],
  times: readonly number[],
): Outcome {
  const timed = packets.map((packet) => ({ ...packet, at: start + packet.at }))
  return runModel(
    model,
    timed,
    times.map((at) => start + at),
  )
}

/**
 * Whether the outcome is the same if packets come a little earlier or later, and for both readings
 * of the documentation.
 */
export function isSettled(plan: Pick<Plan, 'spec' | 'start'>, { packets }: Trace): boolean {
  const { spec, start: loaded } = plan
  const outcome = (packets: readonly Packet[]) => {
    const simulator = simulatorOf(spec, loaded)
    const { verdicts, states, guards } = outcomeOf(plan, simulator, packets, [10 * LENGTH])
    const doors = Object.values(states[0] ?? {})
    const { bans, ignored, repeated } = guards[0] ?? {}
    const counted = doors.map(({ counters, spent }) => [counters, spent])
    return {
      verdicts,
      doors: counted,
      bans,
      ignored,
      repeated,
      redirected: redirectedOf(plan, packets),
    }
  }
  const expected = outcome(packets)
  const strict = outcomeOf(plan, oracleOf(spec, { loaded }), packets, [LENGTH])
  const lenient = outcomeOf(plan, oracleOf(spec, { loaded, remembers: 'all' }), packets, [LENGTH])
  return same(strict, lenient) && variantsOf(packets).every((v) => same(outcome(v), expected))
}

/**
 * Counts the packets that a grant redirects. Without the grant they pass, too, but to another
 * service.
 */
function redirectedOf(plan: Pick<Plan, 'spec' | 'start'>, packets: readonly Packet[]): number {
  if (!plan.spec.doors.some(({ open }) => open.redirectTo)) return 0
  const oracle = oracleOf(plan.spec, { loaded: plan.start })
  outcomeOf(plan, oracle, packets, [])
  return oracle.redirected()
}

/**
 * Returns for each time the sources of a trace whose state is the same shortly before and after,
 * and that send nothing then.
 */
export function settledAt(
  plan: Pick<Plan, 'spec' | 'start'>,
  { packets, sources }: Trace,
  times: readonly number[],
): string[][] {
  const around = times.flatMap((at) => [at - MARGIN, at, at + MARGIN])
  const outcomes = [packets, ...variantsOf(packets)].map((variant) =>
    outcomeOf(plan, simulatorOf(plan.spec, plan.start), variant, around),
  )
  return times.map((at, index) => {
    // Every source can renew a grant to everyone.
    const sends = (packet: Packet, source: string) =>
      source === EVERYONE || sourcesIn(plan.spec, [packet.source]).includes(source)
    const isQuiet = (source: string) =>
      packets.every((packet) => !sends(packet, source) || Math.abs(packet.at - at) >= MARGIN)
    return sources.filter((source) => {
      const [first, ...others] = outcomes.flatMap((outcome) =>
        [0, 1, 2].map((turn) => canonical(placesIn(outcome, 3 * index + turn, [source]))),
      )
      return isQuiet(source) && others.every((place) => place === first)
    })
  })
}

/** Returns addresses, and the blocks around them that the spec takes for sources. */
export function sourcesIn({ doors, guard }: ValidSpec, addresses: readonly string[]): string[] {
  const prefixes = new Set([guard.prefix, ...doors.map(({ open }) => open.prefix)])
  const blocks = [...prefixes].flatMap((prefix) =>
    addresses.map((address) => blockAround(address, prefix)),
  )
  return [...new Set([...addresses, ...blocks])]
}

/** Listings of the sets; undefined for each that failed. */
interface Seen {
  readonly states: readonly (Outcome['states'][number] | undefined)[]
  readonly guards: readonly (Outcome['guards'][number] | undefined)[]
}

/**
 * Returns the states of some sources, at the doors and in the guard, at one of the requested times.
 */
export const placesIn = (
  { states, guards }: Seen,
  time: number,
  sources: readonly string[],
): unknown => {
  const [state, guard] = [states[time], guards[time]]
  return state && guard && [placesOf(state, sources), guardPlacesOf(guard, sources)]
}

/**
 * Returns variants of packets in the same order, moved by parts of the margin. For some moments,
 * those before it are late and those after it early, and the other way round: that changes the gap
 * most. Other variants are pseudo-random.
 */
function variantsOf(packets: Trace['packets']): Packet[][] {
  const times = [...new Set(packets.map(({ at }) => at))].slice(1)
  const step = Math.ceil(times.length / CUTS)
  const cuts = times.filter((_, index) => index % step === 0)
  return [
    ...cuts.flatMap((cut) => [
      moved(packets, ({ at }) => (at < cut ? 1 : -1)),
      moved(packets, ({ at }) => (at < cut ? -1 : 1)),
    ]),
    ...Array.from({ length: VARIANTS }, (_, variant) =>
      moved(packets, (_packet, index) => {
        const turn = Math.sin((variant + 1) * 12.9898 + index * 78.233) * 43758.5453
        return (turn - Math.floor(turn)) * 2 - 1
      }),
    ),
  ]
}

function moved(
  packets: Trace['packets'],
  partOf: (packet: Packet, index: number) => number,
): Packet[] {
  let last = Number.NEGATIVE_INFINITY
  return packets.map((packet, index) => {
    last = Math.max(last, packet.at + partOf(packet, index) * MARGIN)
    return { ...packet, at: last }
  })
}
