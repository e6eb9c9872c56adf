// Fixed and random traces → the kernel, the simulator and the oracle agree on verdicts, stages,
// grants and counters.
import t from 'tap'
import { validateSpec } from '../../lib/spec/validate.js'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { kindsOf } from '../random/arbitrary-spec.js'
import { compare } from '../replay/compare.js'
import { makePlans, partsOf, sourcesOf } from '../replay/plan.js'
import { arrivalKey } from '../replay/playback.js'
import { playAll } from '../replay/playing.js'
import type { Plan } from '../replay/settled.js'
import {
  packetsOfTimed,
  ratesOf,
  rhythmsOf,
  type TimedKnock,
  type TimedTrace,
} from '../traces/worked-times.js'
import { packetsOfTrace, WORKED, type Worked, workedSpec } from '../traces/worked-traces.js'

const TRACES = 28
const seed = Number(process.env['KNOCKLIB_SEED'] ?? Date.now() % 2 ** 31)
const { versions, skip } = await versionsOrSkip()
if (!skip) sweep()

const log = (text: string) => t.comment(text)

t.test('the kernel agrees with the documented traces', { skip }, async (t) => {
  const sequences = (['any', 'never'] as const).map(workedPlan)
  const plans = [...sequences, ...[...ratesOf(), ...rhythmsOf(2)].map(timedPlan)]
  for (const played of await playAll(plans, versions, log)) {
    compare(t, played)
    const { plan, playback } = played
    for (const [index, { packets }] of plan.traces.entries()) {
      const { name, accepted } = plan.names[index] as Named
      const served = packets.filter(({ port }) => port === 22)
      const keys = [...new Set(served.map(arrivalKey))]
      const arrived = keys.reduce((sum, key) => sum + (playback.arrivals.get(key) ?? 0), 0)
      t.equal(arrived, accepted, `${name} from ${packets[0]?.source}`)
    }
  }
})

t.test(`the kernel agrees on random traces, KNOCKLIB_SEED=${seed}`, { skip }, async (t) => {
  const plans = makePlans(seed, Math.floor(Date.now() / 1000), TRACES)
  const count = plans.reduce((sum, plan) => sum + partsOf(plan), 0)
  t.ok(count >= 150, `${count} traces`)
  let looks = 0
  const made: Record<string, number> = {}
  for (const played of await playAll(plans, versions, log)) looks += compare(t, played, made)
  t.ok(looks > count, `${looks} looks at where a source was`)
  const each = plans.map((plan) => `${plan.spec.hook} ${[...kindsOf(plan.spec)]}: ${partsOf(plan)}`)
  t.comment(`traces: ${each.join('; ')}`)
  t.comment(`sources: ${JSON.stringify(sourcesByKind(plans))}; grants: ${JSON.stringify(made)}`)
})

/** Counts the sources that sent packets to doors with each kind of knock, by kind and family. */
function sourcesByKind(plans: readonly Plan[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { spec, traces } of plans) {
    const packets = traces.flatMap((trace) => trace.packets)
    for (const source of new Set(packets.map((packet) => packet.source))) {
      for (const kind of kindsOf(spec)) {
        const label = `${kind}/${source.includes(':') ? 6 : 4}`
        counts[label] = (counts[label] ?? 0) + 1
      }
    }
  }
  return counts
}

/** A trace's name, and how many of its packets to the service are let through. */
type Named = Pick<TimedTrace, 'name' | 'accepted'>

interface WorkedPlan extends Plan {
  /** The names of the traces, in order. */
  readonly names: readonly Named[]
}

/** Makes a plan with each worked trace over IPv4 and IPv6, followed by a connection. */
function workedPlan(reset: Worked['reset']): WorkedPlan {
  const spec = validateSpec(workedSpec(reset, { stepTimeout: 2, open: 20 }))
  const own = WORKED.filter((worked) => worked.reset === reset)
  const twice = own.flatMap((worked) => [worked, worked])
  const traces = twice.map(({ trace }, index) => {
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
  const names = twice.map(({ trace: name, opens }) => ({ name, accepted: opens ? 1 : 0 }))
  return { spec, start: 0, traces, names }
}

/** Makes a plan with the traces of one timed knock, each over both families. */
function timedPlan(knock: TimedKnock): WorkedPlan {
  const names = knock.traces.flatMap((trace) => [trace, trace])
  const traces = names.map((trace, index) => {
    const sources = sourcesOf(index + 1)
    const packets = packetsOfTimed(knock, trace, sources[index % 2] as string)
    return { packets, sources, parts: 1 }
  })
  return { spec: validateSpec(knock.document), start: 0, traces, names }
}
