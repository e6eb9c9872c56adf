// Fixed and random traces → the kernel, the simulator and the oracle agree on verdicts, stages, grants and counters.
import t, { type Test } from 'tap'
import { validateSpec } from '../lib/spec/validate.js'
import { missing } from './capabilities.js'
import { now } from './inject.js'
import { sweep } from './namespaces.js'
import type { DoorState } from './oracle.js'
import { isSettledAt, MARGIN, makePlans, type Plan, sourcesOf } from './plan.js'
import { arrivalKey, type Playback, Theatre } from './playback.js'
import { placesOf } from './state.js'
import { hear, oracleOf, same, simulatorOf } from './witnesses.js'
import { packetsOfTrace, WORKED, type Worked, workedSpec } from './worked-traces.js'

const SPECS = 8
const TRACES = 32
/** Looks at the sets, in seconds from the start. */
const PROBES = [1.45, 2.6, 4.25, 6.1, 8.1, 10.4]
/** How often a run is begun anew in which the machine did not keep time. */
const TRIES = 3

const seed = Number(process.env['KNOCKLIB_SEED'] ?? Date.now() % 2 ** 31)
const skip = missing()
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

t.test(`random traces, KNOCKLIB_SEED=${seed}`, { skip }, async (t) => {
  const plans = makePlans(seed, SPECS, TRACES)
  const count = plans.reduce((sum, { traces }) => sum + traces.length, 0)
  t.ok(count >= 200, `${count} traces`)
  let looks = 0
  for (const { plan, playback } of await playAll(plans)) looks += compare(t, plan, playback)
  t.ok(looks > count, `${looks} looks at where a trace's sources were`)
})

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
    return { packets, sources }
  })
  return { spec, traces, names }
}

const inOrder = ({ traces }: Plan) =>
  traces.flatMap(({ packets }) => packets).sort((a, b) => a.at - b.at)

/** Plays all plans at the same time, each in a pair of namespaces of its own. */
async function playAll<P extends Plan>(
  plans: readonly P[],
  tries = TRIES,
): Promise<{ plan: P; playback: Playback }[]> {
  const theatres = await Promise.all(plans.map(({ spec }) => Theatre.open(spec)))
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

/** Compares all that can be seen; returns how many places of a trace's sources were compared. */
function compare(t: Test, plan: Plan, { arrivals, states, end }: Playback): number {
  const { spec, traces } = plan
  const packets = inOrder(plan)
  const accounts = {
    simulator: hear(simulatorOf(spec), packets, PROBES),
    oracle: hear(oracleOf(spec), packets, PROBES),
  }
  let looks = 0
  for (const [name, { verdicts, states: expected }] of Object.entries(accounts)) {
    const through = new Map<string, number>()
    for (const [index, packet] of packets.entries()) {
      const key = arrivalKey(packet)
      if (verdicts[index] === 'accept') through.set(key, (through.get(key) ?? 0) + 1)
    }
    t.same(sorted(arrivals), sorted(through), `${name}: verdicts`)
    t.same(countersOf(end), countersOf(expected.at(-1)), `${name}: counters`)
    const wrong: unknown[] = []
    for (const [probe, at] of PROBES.entries()) {
      const [seen, told] = [states[probe], expected[probe]]
      if (!seen || !told) continue
      for (const trace of traces.filter((trace) => isSettledAt(spec, trace, at))) {
        looks += 1
        const [kernel, witness] = [seen, told].map((state) => placesOf(state, trace.sources))
        if (!same(kernel, witness)) wrong.push({ at, kernel, witness, trace })
        wrong.push(...strayGrants(seen, told, trace.sources).map((stray) => ({ at, stray, trace })))
      }
    }
    t.same(wrong, [], `${name}: stages and grants`)
  }
  return looks / 2
}

/** Grants whose time that is left is not what was told. Listings round down to seconds. */
function strayGrants(
  seen: Readonly<Record<string, DoorState>>,
  told: Readonly<Record<string, DoorState>>,
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

const sorted = (map: ReadonlyMap<string, number>) => Object.fromEntries([...map].sort())

const countersOf = (state: Readonly<Record<string, DoorState>> = {}) =>
  Object.entries(state).map(([door, { counters }]) => ({ door, ...counters }))
