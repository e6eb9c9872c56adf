// Traces for the kernel → whether a third of a second can change their outcome, and the stages that
// are certain. Pure.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { EVERYONE } from '../oracle/oracle-door.js'
import { guardPlacesOf, placesOf } from './state.js'
import {
  type Account,
  canonical,
  hear,
  oracleOf,
  same,
  simulatorOf,
  type Witness,
} from './witnesses.js'

/** Seconds by which a packet or a look at the sets may be off. */
export const MARGIN = 0.3

/** No trace is longer, in seconds. */
export const LENGTH = 9
/**
 * In how many places at the most a trace is torn apart or pushed together, to see whether it
 * matters.
 */
const CUTS = 24
/** How often its packets are moved about besides. */
const VARIANTS = 8
export interface Trace {
  /** Their times are seconds from the plan's start. */
  readonly packets: readonly (Packet & { readonly destination: string })[]
  readonly sources: readonly string[]
  /** How many random traces it was made of. */
  readonly parts: number
}

/** The traces of one ruleset, which are played at the same time. */
export interface Plan {
  readonly spec: ValidSpec
  /** In seconds since 1970, for the witnesses alone: the kernel has its own time. */
  readonly start: number
  readonly traces: readonly Trace[]
}

/** What a witness says of packets, at some times after the plan's start. */
export function accountOf(
  { start }: Pick<Plan, 'start'>,
  witness: Witness,
  packets: readonly Packet[],
  times: readonly number[],
): Account {
  const timed = packets.map((packet) => ({ ...packet, at: start + packet.at }))
  return hear(
    witness,
    timed,
    times.map((at) => start + at),
  )
}

/**
 * Whether all comes out the same with each packet a little earlier or later, and for each reading
 * of the text.
 */
export function isSettled(plan: Pick<Plan, 'spec' | 'start'>, { packets }: Trace): boolean {
  const { spec, start: loaded } = plan
  const outcome = (packets: readonly Packet[]) => {
    const simulator = simulatorOf(spec, loaded)
    const { verdicts, states, guards } = accountOf(plan, simulator, packets, [10 * LENGTH])
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
  const strict = accountOf(plan, oracleOf(spec, { loaded }), packets, [LENGTH])
  const lenient = accountOf(plan, oracleOf(spec, { loaded, remembers: 'all' }), packets, [LENGTH])
  return same(strict, lenient) && variantsOf(packets).every((v) => same(outcome(v), expected))
}

/**
 * How many packets a grant sends elsewhere; without it they are let through as well, to another
 * service.
 */
function redirectedOf(plan: Pick<Plan, 'spec' | 'start'>, packets: readonly Packet[]): number {
  if (!plan.spec.doors.some(({ open }) => open.redirectTo)) return 0
  const oracle = oracleOf(plan.spec, { loaded: plan.start })
  accountOf(plan, oracle, packets, [])
  return oracle.redirected()
}

/**
 * Of each time those sources of a trace that are in the same place shortly before and after, and
 * send nothing then.
 */
export function settledAt(
  plan: Pick<Plan, 'spec' | 'start'>,
  { packets, sources }: Trace,
  times: readonly number[],
): string[][] {
  const around = times.flatMap((at) => [at - MARGIN, at, at + MARGIN])
  const accounts = [packets, ...variantsOf(packets)].map((variant) =>
    accountOf(plan, simulatorOf(plan.spec, plan.start), variant, around),
  )
  return times.map((at, index) => {
    // A grant to everyone is anyone's to renew.
    const sends = (packet: Packet, source: string) =>
      source === EVERYONE || packet.source === source
    const isQuiet = (source: string) =>
      packets.every((packet) => !sends(packet, source) || Math.abs(packet.at - at) >= MARGIN)
    return sources.filter((source) => {
      const [first, ...others] = accounts.flatMap((account) =>
        [0, 1, 2].map((turn) => canonical(placesIn(account, 3 * index + turn, [source]))),
      )
      return isQuiet(source) && others.every((place) => place === first)
    })
  })
}

/** Looks at the sets, of which some may have failed. */
interface Seen {
  readonly states: readonly (Account['states'][number] | undefined)[]
  readonly guards: readonly (Account['guards'][number] | undefined)[]
}

/**
 * Who of some sources was where, with the doors and with the table, at one of the times asked for.
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
 * The packets in their order, each moved by a part of the margin: those before a moment late and
 * those behind it early, and the other way round, which is the worst for what lies between; and
 * some pseudo-randomly.
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
