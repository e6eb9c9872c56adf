// Random choices → traces for the kernel whose outcome a third of a second cannot change. Pure.
import fc from 'fast-check'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { CABLE } from '../machine/namespaces.js'
import { namesSecond, SECOND } from '../machine/second-cable.js'
import { EVERYONE } from '../oracle/oracle-door.js'
import { KINDS, type Scale } from '../random/arbitrary-knock.js'
import { sharing } from '../random/arbitrary-shared.js'
import { type Choice, SERVERS, spec } from '../random/arbitrary-spec.js'
import { type Event, events, packetsOf } from '../random/arbitrary-trace.js'
import { oracleOf } from './models.js'
import { isSettled, LENGTH, type Plan, sourcesIn, type Trace } from './settled.js'

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
  // So long that no sequence and no token expires: oracle and simulator need not know the date.
  every: 100 * DAY,
  period: [60],
  horizon: '3h',
  hours: ['00:00-24:00', 'mon-sun 06:00-18:00'],
  until: ['2026-01-01', '2099-12-31T00:00:00Z'],
}
/** Seconds between packets, far from the timeouts and from sums of them. */
const GAPS = [0, 0, 0, 0, 0.1, 0.9, 1.2, 2.8, 3.8]
/** The specs that are tried for one plan. */
const SPECS = 4
/**
 * Seconds between the times for which traces make their tokens, so that no trace uses a token of
 * another: a trace's tokens are from two periods and the drift before its time to one period after.
 * All are within the horizon.
 */
const APART = 360

/** Returns sources that no other trace of the plan has. If a spec trusts any, it is the tenth's. */
export const sourcesOf = (trace: number): string[] => {
  const group = trace.toString(16)
  return [`10.99.${trace}.1`, `fd00:99::${group}:1`, `10.99.${trace}.2`, `fd00:99::${group}:2`]
}

const isRedirecting = ({ doors }: ValidSpec): boolean => doors.some(({ open }) => open.redirectTo)

/** Whether two doors have the same service. */
const isTogether = ({ doors }: ValidSpec): boolean =>
  new Set(doors.map(({ services, addresses }) => JSON.stringify([services, addresses]))).size <
  doors.length

/** Choices for plans: each kind of knock alone and all together, each hook, and rare specs. */
const CHOICES: readonly Choice[] = [
  ...KINDS.map((kind): Choice => ({ scale: SCALE, kinds: [kind], hooks: ['input'] })),
  ...(['input', 'input', 'forward', 'prerouting', 'ingress'] as const).map(
    (hook): Choice => ({ scale: SCALE, hooks: [hook] }),
  ),
  ...[
    isRedirecting,
    ({ guard }: ValidSpec) => guard.ban !== undefined,
    ({ guard }: ValidSpec) => guard.traps !== undefined,
    isTogether,
    ({ doors }: ValidSpec) => doors.some(({ open }) => open.prefix),
    ({ guard }: ValidSpec) => guard.prefix !== undefined && guard.ban !== undefined,
  ].map((must): Choice => ({ scale: SCALE, hooks: ['input'], must })),
]

export function makePlans(seed: number, start: number, traces: number): Plan[] {
  return CHOICES.map((choice, place): Plan => {
    const numRuns = traces * 12
    const candidates = fc.sample(events({ gaps: GAPS, most: 12 }), { seed: seed + place, numRuns })
    // With some specs few traces can be played.
    const specs = fc.sample(spec(choice), { seed: seed + place, numRuns: SPECS })
    const [first, ...others] = specs.map(
      (spec) => () => planOf({ spec, start, traces: [] }, candidates, traces),
    )
    return others.reduce(
      (best, make) => (partsOf(best) < traces / 2 ? better(best, make()) : best),
      (first as () => Plan)(),
    )
  })
}

/** Makes plans of specs whose doors share their sets, at each hook. */
export function makeSharingPlans(seed: number, start: number, traces: number): Plan[] {
  const hooks = ['input', 'input', 'forward', 'prerouting', 'ingress'] as const
  return hooks.map((hook, place): Plan => {
    const options = { seed: seed + place, numRuns: traces * 12 }
    const candidates = fc.sample(events({ gaps: GAPS, most: 12 }), options)
    const [spec] = fc.sample(sharing(SCALE, [hook]), { seed: seed + place, numRuns: 1 })
    return planOf({ spec: spec as ValidSpec, start, traces: [], shareFrom: 1 }, candidates, traces)
  })
}

/** Counts the random traces that a plan plays. */
export const partsOf = ({ traces }: Plan): number =>
  traces.reduce((sum, { parts }) => sum + parts, 0)

const better = (one: Plan, other: Plan): Plan => (partsOf(one) < partsOf(other) ? other : one)

/** @param empty - the plan without traces. */
function planOf(empty: Plan, candidates: readonly Event[][], most: number): Plan {
  let plan = empty
  const { spec } = plan
  const made = () => partsOf(plan)
  // If sources share records, fewer traces are enough: each must fit all traces before it.
  const limit = isShared(spec) ? Math.ceil(most * 0.7) : most
  for (const candidate of candidates) {
    if (made() === limit) break
    const trace = traceOf(plan, candidate, made() + 1)
    if ((trace.packets.at(-1)?.at ?? 0) >= LENGTH) continue
    // Two of three traces must open a door.
    if (made() % 3 > 0 && !opens(plan, trace)) continue
    const [whole] = isShared(spec) ? plan.traces : []
    const next = whole ? merge(whole, trace) : trace
    if (isSettled(plan, trace) && (!whole || isSettled(plan, next))) {
      plan = { ...plan, traces: [...(whole ? [] : plan.traces), next] }
    }
  }
  return plan
}

function opens({ spec, start }: Plan, { packets }: Trace): boolean {
  const oracle = oracleOf(spec, { loaded: start })
  for (const packet of packets) oracle.receive({ ...packet, at: start + packet.at })
  return oracle.made().size > 0
}

/** The interfaces where packets come in: the second only if the spec names it. */
const cablesOf = (spec: ValidSpec): string[] =>
  namesSecond(spec) ? [CABLE, CABLE, CABLE, SECOND, SECOND] : [CABLE]

/** Whether packets of one source can matter to another. */
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

function traceOf(
  { spec, start, shareFrom }: Plan,
  candidate: readonly Event[],
  number: number,
): Trace {
  const sources = sourcesOf(number)
  // Half of the traces stay with one source, so that more of them open a door.
  const [first, second, ...others] = sources
  const turned = number % 8 < 4 ? [first, second, ...others] : [second, first, ...others]
  const all = turned as string[]
  const used = number % 2 === 1 ? all.slice(0, 1 + ((number - 1) % 4) / 2) : all
  const settings = { sources: used, interfaces: cablesOf(spec), start: start + APART * number }
  // Shared doors refuse what cannot be read, also from a source that has a grant of each.
  const packets = packetsOf(spec, candidate, { ...settings, every: SCALE.every }).filter(
    ({ unreadable }) => shareFrom === undefined || !unreadable,
  )
  // Traces begin at different times, so that not all packets come at once.
  let at = (number % 16) / 10
  const timed = packets.map(({ gap, ...packet }) => {
    at += gap
    // No process listens in the kernel's traces, so no packet is part of a connection.
    return { destination: SERVERS[0], ...packet, connected: false, at }
  })
  const seen = sourcesIn(spec, sources)
  return { packets: timed, sources: isShared(spec) ? [EVERYONE, ...seen] : seen, parts: 1 }
}
