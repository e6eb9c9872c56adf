// Random choices → traces for the kernel whose outcome does not depend on a third of a second. Pure.
import fc from 'fast-check'
import type { Packet } from '../lib/automaton/simulate.js'
import type { ValidSpec } from '../lib/spec/model.js'
import { KINDS, type Scale } from './arbitrary-knock.js'
import { type Choice, SERVERS, spec } from './arbitrary-spec.js'
import { type Event, events, packetsOf } from './arbitrary-trace.js'
import { EVERYONE } from './oracle-door.js'
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

const DAY = 86400

const SCALE: Scale = {
  stepTimeout: [2, 3],
  timeout: [3, 4, 6],
  open: [2, 4, 30],
  pace: [
    [0, 3],
    [1, 4],
    [2, 5],
  ],
  window: [2],
  penalty: [2, 4, 30],
  ban: [3, 30],
  // The witnesses need not know when it is: no sequence and no token comes to its end.
  every: 100 * DAY,
  period: [60],
}
/** Far from the timeouts, and from their sums with each other. */
const GAPS = [0, 0, 0, 0, 0.1, 0.9, 1.2, 2.8, 3.8]
/** No trace is longer, in seconds. */
const LENGTH = 9
/** How often each trace is tried with its packets moved about. */
const VARIANTS = 12
/** Traces have each tokens of other times, so that none uses another's up. */
const APART = 180

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

/** Sources that no other trace of the plan has; those of the tenth are trusted where any are. */
export const sourcesOf = (trace: number): string[] => {
  const group = trace.toString(16)
  return [`10.99.${trace}.1`, `fd00:99::${group}:1`, `10.99.${trace}.2`, `fd00:99::${group}:2`]
}

/** Every kind of knock by itself and all together, at every hook. */
const CHOICES: readonly Choice[] = [
  ...KINDS.map((kind): Choice => ({ scale: SCALE, kinds: [kind], hooks: ['input'] })),
  ...(['input', 'input', 'forward', 'prerouting', 'ingress'] as const).map(
    (hook): Choice => ({ scale: SCALE, hooks: [hook] }),
  ),
]

export function makePlans(seed: number, start: number, traces: number): Plan[] {
  return CHOICES.map((choice, place): Plan => {
    const [chosen] = fc.sample(spec(choice), { seed: seed + place, numRuns: 1 })
    const range = { gaps: GAPS, most: 20 }
    const candidates = fc.sample(events(range), { seed: seed + place, numRuns: traces * 5 })
    return planOf(chosen as ValidSpec, start, candidates, traces)
  })
}

function planOf(
  spec: ValidSpec,
  start: number,
  candidates: readonly Event[][],
  most: number,
): Plan {
  let plan: Plan = { spec, start, traces: [] }
  const made = () => plan.traces.reduce((sum, { parts }) => sum + parts, 0)
  // Of what all sources share a few traces are enough: each must fit to all before.
  const limit = isShared(spec) ? Math.ceil(most / 3) : most
  for (const candidate of candidates) {
    if (made() === limit) break
    const trace = traceOf(plan, candidate, made() + 1)
    if ((trace.packets.at(-1)?.at ?? 0) >= LENGTH) continue
    const [whole] = isShared(spec) ? plan.traces : []
    const next = whole ? merge(whole, trace) : trace
    if (isSettled(plan, next)) {
      plan = { ...plan, traces: [...(whole ? [] : plan.traces), next] }
    }
  }
  return plan
}

/** Whether what one source does can matter to another. */
const isShared = ({ doors }: ValidSpec): boolean =>
  doors.some(
    ({ open, knocks }) =>
      open.scope === 'everyone' ||
      knocks.some((knock) => knock.type === 'sequence' && knock.once !== undefined),
  )

const merge = (one: Trace, other: Trace): Trace => ({
  packets: [...one.packets, ...other.packets].sort((a, b) => a.at - b.at),
  sources: [...new Set([...one.sources, ...other.sources])],
  parts: one.parts + other.parts,
})

function traceOf({ spec, start }: Plan, candidate: readonly Event[], number: number): Trace {
  const sources = sourcesOf(number)
  // Half the traces stay with one source: more of them get somewhere.
  const used = number % 2 === 1 ? sources.slice(0, 1 + ((number - 1) % 4) / 2) : sources
  const stage = { sources: used, interfaces: ['eth0'], start: start + APART * number }
  const packets = packetsOf(spec, candidate, { ...stage, every: SCALE.every })
  // Traces begin one after the other, so that not all packets come at once.
  let at = (number % 16) / 10
  const timed = packets.map(({ gap, ...packet }) => {
    at += gap
    // Nobody listens in the kernel's traces: no packet is part of a connection.
    return { destination: SERVERS[0], ...packet, connected: false, at }
  })
  return { packets: timed, sources: isShared(spec) ? [EVERYONE, ...sources] : sources, parts: 1 }
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

/** Whether all comes out the same with each packet a little earlier or later, and for each reading of the text. */
export function isSettled(plan: Pick<Plan, 'spec' | 'start'>, { packets }: Trace): boolean {
  const { spec, start: loaded } = plan
  const outcome = (packets: readonly Packet[]) => {
    const simulator = simulatorOf(spec, loaded)
    const { verdicts, states, guards } = accountOf(plan, simulator, packets, [10 * LENGTH])
    const doors = Object.values(states[0] ?? {})
    const { bans, ignored } = guards[0] ?? {}
    return { verdicts, doors: doors.map(({ counters, spent }) => [counters, spent]), bans, ignored }
  }
  const expected = outcome(packets)
  const strict = accountOf(plan, oracleOf(spec, { loaded }), packets, [LENGTH])
  const lenient = accountOf(plan, oracleOf(spec, { loaded, remembers: 'all' }), packets, [LENGTH])
  return same(strict, lenient) && variantsOf(packets).every((v) => same(outcome(v), expected))
}

/** Of each time those sources of a trace that are in the same place shortly before and after, and send nothing then. */
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
    const isQuiet = (source: string) =>
      packets.every((packet) => packet.source !== source || Math.abs(packet.at - at) >= MARGIN)
    return sources.filter((source) => {
      const [first, ...others] = accounts.flatMap((account) =>
        [0, 1, 2].map((turn) => canonical(placesIn(account, 3 * index + turn, [source]))),
      )
      return isQuiet(source) && others.every((place) => place === first)
    })
  })
}

/** Who of some sources was where, with the doors and with the table, at one of the times asked for. */
export const placesIn = (
  { states, guards }: Pick<Account, 'states' | 'guards'>,
  time: number,
  sources: readonly string[],
): unknown => {
  const [state, guard] = [states[time], guards[time]]
  return state && guard && [placesOf(state, sources), guardPlacesOf(guard, sources)]
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
