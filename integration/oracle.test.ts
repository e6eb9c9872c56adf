// Traces with known outcomes and random ones → the oracle and the simulator agree on each. No root needed.
import fc from 'fast-check'
import t from 'tap'
import type { Packet } from '../lib/automaton/simulate.js'
import type { ValidSpec } from '../lib/spec/model.js'
import { validateSpec } from '../lib/spec/validate.js'
import { manyDoors, type Scale, spec } from './arbitrary-spec.js'
import { events, packetsOf, type Untimed } from './arbitrary-trace.js'
import { CORNERS } from './corners.js'
import { hear, oracleOf, same, simulatorOf } from './witnesses.js'
import { packetsOfTrace, WORKED, workedSpec } from './worked-traces.js'

/** Random pairs of spec and trace that must agree. */
const RUNS = 6000
/** Those with many doors are slow to build. */
const MANY_DOORS_RUNS = 200

const SCALE: Scale = { stepTimeout: [1, 3, 5], timeout: [5, 8, 12], open: [2, 10, 60] }
const GAPS = [0, 0, 0, 0.5, 0.5, 1, 2, 4, 7, 30]
const SOURCES = ['10.99.0.1', '10.99.0.2', 'fd00:99::1', 'fd00:99::2', '10.99.9.1', 'fd00:99::9:1']

const INTERFACES = [...new Array<string>(12).fill('eth0'), 'lo', 'wg0']

t.test('the worked traces', async (t) => {
  for (const { trace, reset, opens } of WORKED) {
    for (const family of [4, 6] as const) {
      const spec = validateSpec(workedSpec(reset, { stepTimeout: 5, open: 60 }))
      const packets = packetsOfTrace(trace, family, 6, 1)
      const { oracle, simulator } = play(spec, packets)
      const name = `${trace}, reset ${reset}, IPv${family}`
      t.equal(
        Object.values(oracle.states[0] ?? {})[0]?.counters.grants,
        opens ? 1 : 0,
        `oracle: ${name}`,
      )
      t.same(simulator, oracle, `simulator: ${name}`)
    }
  }
})

t.test('the corners of the meaning', async (t) => {
  for (const { name, doors, guard, packets, verdicts, counters } of CORNERS) {
    const spec = validateSpec({ doors, ...(guard && { guard }) })
    const timed = packets.map((packet, index) => ({ ...packet, at: index / 512 }))
    const { oracle, simulator } = play(spec, timed)
    t.same(oracle.verdicts, verdicts, name)
    t.match(Object.values(oracle.states[0] ?? {})[0]?.counters, counters, name)
    t.same(simulator, oracle, `simulator: ${name}`)
  }
})

t.test('random specs and traces', async (t) => {
  const reached = agree(spec(SCALE), RUNS)
  t.comment(`${RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.grants > RUNS / 2, 'grants were made')
  t.ok(reached.resets > RUNS / 10, 'attempts were reset')
  t.ok(reached.unsettled < RUNS / 20, 'few traces depend on when a source ceases to be knocking')
})

t.test('random specs of many doors', async (t) => {
  const reached = agree(manyDoors(SCALE), MANY_DOORS_RUNS)
  t.comment(`${MANY_DOORS_RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.resets > MANY_DOORS_RUNS, 'attempts were reset')
})

/** Plays random traces of random specs until simulator and oracle differ; says what the traces came to. */
function agree(specs: fc.Arbitrary<ValidSpec>, runs: number) {
  const reached = { grants: 0, resets: 0, denied: 0, unsettled: 0 }
  const pair = specs.chain((spec) => fc.tuple(fc.constant(spec), events(GAPS, 24)))
  const property = fc.property(pair, ([spec, events]) => {
    const packets = timed(packetsOf(spec, events, SOURCES, INTERFACES))
    const { oracle, simulator, settled } = play(spec, packets)
    reached.unsettled += settled ? 0 : 1
    fc.pre(settled)
    for (const { counters } of Object.values(oracle.states[0] ?? {})) {
      reached.grants += counters.grants
      reached.resets += counters.resets
      reached.denied += counters.denied
    }
    if (same(oracle, simulator)) return
    throw new Error(JSON.stringify({ spec, packets, oracle, simulator }))
  })
  fc.assert(property, { numRuns: runs })
  return reached
}

/** Adds up the gaps. No two packets are apart by whole half seconds, so no timeout ends just at a packet. */
function timed(packets: readonly Untimed[]): Packet[] {
  let seconds = 0
  return packets.map(({ gap, ...packet }, index) => {
    seconds += gap
    return { ...packet, at: seconds + index / 512 }
  })
}

function play(spec: ValidSpec, packets: readonly Packet[]) {
  const end = [(packets.at(-1)?.at ?? 0) + 1 / 512]
  const oracle = hear(oracleOf(spec), packets, end)
  const settled = same(oracle, hear(oracleOf(spec, { remembers: 'all' }), packets, end))
  return { oracle, simulator: hear(simulatorOf(spec), packets, end), settled }
}
