// Fixed and random traces → the kernel, the simulator and the oracle agree on verdicts, stages, grants and counters.
import t, { type Test } from 'tap'
import { validateSpec } from '../lib/spec/validate.js'
import { kindsOf } from './arbitrary-spec.js'
import { arrivedOf, detoursOf, directOf, expectedOf } from './arrivals.js'
import { now } from './inject.js'
import { sweep } from './namespaces.js'
import { versionsOrSkip } from './nft-versions.js'
import type { DoorState, GuardState } from './oracle.js'
import { accountOf, MARGIN, makePlans, type Plan, placesIn, settledAt, sourcesOf } from './plan.js'
import { arrivalKey, type Playback, Theatre } from './playback.js'
import { oracleOf, same, simulatorOf } from './witnesses.js'
import { packetsOfTimed, ratesOf, rhythmsOf, type TimedTrace } from './worked-times.js'
import { packetsOfTrace, WORKED, type Worked, workedSpec } from './worked-traces.js'

const TRACES = 28
/** Looks at the sets, in seconds from the start. */
const PROBES = [1.45, 2.6, 4.25, 6.1, 8.1, 10.4]
/** How often a run is begun anew in which the machine did not keep time. */
const TRIES = 3

const seed = Number(process.env['KNOCKLIB_SEED'] ?? Date.now() % 2 ** 31)
const { versions, skip } = await versionsOrSkip()
if (!skip) sweep()

t.test('the worked traces', { skip }, async (t) => {
  const plans = (['any', 'never'] as const).map((reset) => workedPlan(reset))
  for (const { plan, playback } of await playAll(plans)) {
    compare(t, plan, playback)
    for (const [index, { packets }] of plan.traces.entries()) {
      const connect = packets.at(-1)
      const { trace, opens } = plan.names[index] as Worked
      const arrived = connect && playback.arrivals.get(arrivalKey(connect))
      t.equal(arrived ?? 0, opens ? 1 : 0, `${trace} from ${connect?.source}`)
    }
  }
})

t.test('the worked traces of knocks in which times decide', { skip }, async (t) => {
  const plans = [...ratesOf(), ...rhythmsOf(2)].map(timedPlan)
  for (const { plan, playback } of await playAll(plans)) {
    compare(t, plan, playback)
    for (const [index, { packets }] of plan.traces.entries()) {
      const { name, accepted } = plan.names[index] as TimedTrace
      const keys = new Set(packets.map(arrivalKey))
      const arrived = [...keys].reduce((n, key) => n + (playback.arrivals.get(key) ?? 0), 0)
      t.equal(arrived, accepted, `${plan.title}: ${name} from ${packets[0]?.source}`)
    }
  }
})

t.test(`random traces, KNOCKLIB_SEED=${seed}`, { skip }, async (t) => {
  const plans = makePlans(seed, Math.floor(Date.now() / 1000), TRACES)
  const count = plans.reduce((sum, plan) => sum + partsOf(plan), 0)
  t.ok(count >= 200, `${count} traces`)
  let looks = 0
  const made: Record<string, number> = {}
  for (const { plan, playback } of await playAll(plans)) looks += compare(t, plan, playback, made)
  t.ok(looks > count, `${looks} looks at where a source was`)
  const each = plans.map((plan) => `${plan.spec.hook} ${[...kindsOf(plan.spec)]}: ${partsOf(plan)}`)
  t.comment(`traces: ${each.join('; ')}`)
  t.comment(`grants made: ${JSON.stringify(made)}`)
})

const partsOf = ({ traces }: Plan) => traces.reduce((sum, { parts }) => sum + parts, 0)

/** Each worked trace twice, IPv4 and IPv6, with a connection to the service behind it. */
function workedPlan(reset: Worked['reset']): Plan & { readonly names: readonly Worked[] } {
  const spec = validateSpec(workedSpec(reset, { stepTimeout: 2, open: 20 }))
  const own = WORKED.filter((worked) => worked.reset === reset)
  const names = own.flatMap((worked) => [worked, worked])
  const traces = names.map(({ trace }, index) => {
    const sources = sourcesOf(index + 1)
    const family = index % 2 === 0 ? 4 : 6
    const knocks = packetsOfTrace(trace, family, 3, index + 1)
    const at = (knocks.at(-1)?.at ?? 0) + 0.5
    const source = sources[family === 4 ? 0 : 1] as string
    const connect = { at, source, protocol: 'tcp', port: 22, sourcePort: 40000 } as const
    const packets = [...knocks, connect].map((packet) => {
      return { destination: packet.source.includes(':') ? 'fd00:77::1' : '10.77.0.1', ...packet }
    })
    return { packets, sources, parts: 1 }
  })
  return { spec, start: 0, traces, names }
}

/** The traces of one knock, each over both families. */
function timedPlan(knock: ReturnType<typeof ratesOf>[number]) {
  const names = knock.traces.flatMap((trace) => [trace, trace])
  const traces = names.map((trace, index) => {
    const sources = sourcesOf(index + 1)
    return {
      packets: packetsOfTimed(knock, trace, sources[index % 2] as string),
      sources,
      parts: 1,
    }
  })
  return { spec: validateSpec(knock.document), start: 0, traces, names, title: knock.name }
}

const inOrder = ({ traces }: Plan) =>
  traces.flatMap(({ packets }) => packets).sort((a, b) => a.at - b.at)

/** Each with one of the versions that know all it asks for, in turn. */
function nftFor({ spec }: Plan, place: number): string {
  const kinds = kindsOf(spec)
  const isNewer = kinds.has('token') || kinds.has('rotation')
  const able = isNewer ? versions.slice(1) : versions
  return able[place % able.length]?.path as string
}

/** Plays all plans at the same time, each in a pair of namespaces of its own. */
async function playAll<P extends Plan>(
  plans: readonly P[],
  tries = TRIES,
): Promise<{ plan: P; playback: Playback }[]> {
  const theatres = await Promise.all(
    plans.map((plan, index) => Theatre.open(plan.spec, { nft: nftFor(plan, index) })),
  )
  let played: { plan: P; playback: Playback }[]
  try {
    const time = { start: now() + 0.2, margin: MARGIN }
    played = await Promise.all(
      plans.map(async (plan, index) => {
        const theatre = theatres[index] as Theatre
        return { plan, playback: await theatre.play(inOrder(plan), PROBES, time) }
      }),
    )
  } finally {
    for (const theatre of theatres) await theatre[Symbol.asyncDispose]()
  }
  const lateness = Math.max(...played.map(({ playback }) => playback.lateness))
  const missed = played.flatMap(({ playback }) => playback.states).filter((state) => !state).length
  t.comment(`the latest packet was ${lateness.toFixed(3)} s late, ${missed} looks came too late`)
  const isSlow = lateness > MARGIN || missed > plans.length
  return isSlow && tries > 1 ? playAll(plans, tries - 1) : played
}

/** Compares all that can be seen; returns how many places of sources were compared. */
function compare(
  t: Test,
  plan: Plan,
  playback: Playback,
  made: Record<string, number> = {},
): number {
  const { spec, traces } = plan
  const packets = inOrder(plan)
  const settled = traces.map((trace) => settledAt(plan, trace, PROBES))
  const { arrivals, end, guard } = playback
  const title = `${spec.hook} ${[...kindsOf(spec)]}`
  const oracle = oracleOf(spec, { loaded: plan.start })
  const witnesses = { simulator: simulatorOf(spec, plan.start), oracle }
  let looks = 0
  for (const [name, witness] of Object.entries(witnesses)) {
    const account = accountOf(plan, witness, packets, [...PROBES, 100])
    const { verdicts, states, guards } = account
    const who = `${title}, ${name}`
    t.same(arrivedOf(spec, arrivals), expectedOf(spec, packets, verdicts), `${who}: verdicts`)
    t.same(countersOf(end, guard), countersOf(states.at(-1), guards.at(-1)), `${who}: counters`)
    if (witness === oracle) {
      const detours = oracle.redirected() + directOf(spec, packets, verdicts)
      t.equal(detoursOf(spec, arrivals), detours, `${who}: redirected`)
    }
    const wrong: unknown[] = []
    for (const [probe, at] of PROBES.entries()) {
      for (const [index, { packets }] of traces.entries()) {
        const sources = settled[index]?.[probe] ?? []
        const [kernel, told] = [playback, account].map((seen) => placesIn(seen, probe, sources))
        if (!kernel) continue
        looks += sources.length
        if (!same(kernel, told)) wrong.push({ at, kernel, told, spec, packets })
        const strays = strayGrants(playback.states[probe], states[probe], sources)
        wrong.push(...strays.map((stray) => ({ at, stray, spec, packets })))
      }
    }
    t.same(wrong, [], `${who}: stages and grants`)
  }
  for (const [label, count] of oracle.made()) made[label] = (made[label] ?? 0) + count
  return looks / 2
}

/** Grants whose time that is left is not what was told. Listings round down to seconds. */
function strayGrants(
  seen: Readonly<Record<string, DoorState>> = {},
  told: Readonly<Record<string, DoorState>> = {},
  sources: readonly string[],
): string[] {
  return Object.entries(seen).flatMap(([door, { grants }]) =>
    Object.entries(grants).flatMap(([source, left]) => {
      const expected = told[door]?.grants[source]
      const isOff =
        sources.includes(source) &&
        expected !== undefined &&
        Math.abs(expected - 0.5 - left) > 0.5 + 2 * MARGIN
      return isOff ? [`${door} ${source}: ${left} s for ${expected} s`] : []
    }),
  )
}

/** What was counted, and what will not be taken again. */
const countersOf = (
  state: Readonly<Record<string, DoorState>> = {},
  guard: GuardState | undefined,
) => ({
  doors: Object.entries(state).map(([door, { counters, spent }]) => ({ door, counters, spent })),
  bans: guard?.bans,
  ignored: guard?.ignored,
})
