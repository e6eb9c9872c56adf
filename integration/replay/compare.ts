// A plan and the kernel's result → tests that simulator and oracle agree with it.
import type { Test } from 'tap'
import type { DoorState, GuardState } from '../oracle/oracle.js'
import { kindsOf } from '../random/arbitrary-spec.js'
import { arrivedOf, detoursOf, directOf, expectedOf } from './arrivals.js'
import { oracleOf, same, simulatorOf } from './models.js'
import { inOrder, type Played } from './playing.js'
import { MARGIN, outcomeOf, type Plan, placesIn, settledAt } from './settled.js'

/** Compares everything that the kernel shows. Returns how many states of sources were compared. */
export function compare(
  t: Test,
  { plan, playback, probes }: Played<Plan>,
  made: Record<string, number> = {},
): number {
  const { spec, traces } = plan
  const packets = inOrder(plan)
  const settled = traces.map((trace) => settledAt(plan, trace, probes))
  const { arrivals, end, guard } = playback
  const title = `${spec.hook} ${[...kindsOf(spec)]}`
  const oracle = oracleOf(spec, { loaded: plan.start })
  const models = { simulator: simulatorOf(spec, plan.start, plan.shareFrom), oracle }
  let looks = 0
  for (const [name, model] of Object.entries(models)) {
    const outcome = outcomeOf(plan, model, packets, [...probes, 100])
    const { verdicts, states, guards } = outcome
    const who = `${title}, ${name}`
    t.same(arrivedOf(spec, arrivals), expectedOf(spec, packets, verdicts), `${who}: verdicts`)
    t.same(countersOf(end, guard), countersOf(states.at(-1), guards.at(-1)), `${who}: counters`)
    if (model === oracle) {
      const detours = oracle.redirected() + directOf(spec, packets, verdicts)
      t.equal(detoursOf(spec, arrivals), detours, `${who}: redirected`)
    }
    const wrong: unknown[] = []
    for (const [probe, at] of probes.entries()) {
      for (const [index, { packets }] of traces.entries()) {
        const sources = settled[index]?.[probe] ?? []
        const [kernel, logged] = [playback, outcome].map((seen) => placesIn(seen, probe, sources))
        if (!kernel) continue
        looks += sources.length
        if (!same(kernel, logged)) wrong.push({ at, kernel, logged, spec, packets })
        const strays = strayGrants(playback.states[probe], states[probe], sources)
        wrong.push(...strays.map((stray) => ({ at, stray, spec, packets })))
      }
    }
    t.same(wrong.slice(0, 2), [], `${who}: stages and grants`)
  }
  for (const [label, count] of oracle.made()) made[label] = (made[label] ?? 0) + count
  return looks / 2
}

/** Finds grants whose remaining time differs from the log. Listings round down to seconds. */
function strayGrants(
  seen: Readonly<Record<string, DoorState>> = {},
  logged: Readonly<Record<string, DoorState>> = {},
  sources: readonly string[],
): string[] {
  return Object.entries(seen).flatMap(([door, { grants }]) =>
    Object.entries(grants).flatMap(([source, left]) => {
      const expected = logged[door]?.grants[source]
      const isOff =
        sources.includes(source) &&
        expected !== undefined &&
        Math.abs(expected - 0.5 - left) > 0.5 + 2 * MARGIN
      return isOff ? [`${door} ${source}: ${left} s for ${expected} s`] : []
    }),
  )
}

/** Collects the counters, and the tokens and sequences that are used up. */
const countersOf = (
  state: Readonly<Record<string, DoorState>> = {},
  guard: GuardState | undefined,
) => ({
  doors: Object.entries(state).map(([door, { counters, spent }]) => ({ door, counters, spent })),
  bans: guard?.bans,
  ignored: guard?.ignored,
  repeated: guard?.repeated,
})
