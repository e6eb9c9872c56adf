// Traces with known outcomes → the oracle has them, and the simulator agrees with it. No root
// needed.
import t from 'tap'
import { validateSpec } from '../../../lib/spec/validate.js'
import { play } from '../../replay/agree.js'
import { CORNERS } from '../../traces/corners.js'
import { CARRIER_CORNERS } from '../../traces/corners-carriers.js'
import { KIND_CORNERS } from '../../traces/corners-kinds.js'
import { OPENING_CORNERS, type TimedCorner } from '../../traces/corners-openings.js'
import { packetsOfTimed, ratesOf, rhythmsOf } from '../../traces/worked-times.js'
import { packetsOfTrace, WORKED, workedSpec } from '../../traces/worked-traces.js'

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

t.test('the worked traces of knocks in which times decide', async (t) => {
  const knocks = [...ratesOf(), ...[2, 3, 4].flatMap(rhythmsOf)]
  for (const knock of knocks) {
    const spec = validateSpec(knock.document)
    for (const trace of knock.traces) {
      for (const source of ['10.99.0.1', 'fd00:99::1']) {
        const { oracle, simulator } = play(spec, packetsOfTimed(knock, trace, source))
        const name = `${knock.name}: ${trace.name}, ${source}`
        const accepted = oracle.verdicts.filter((verdict) => verdict === 'accept')
        t.equal(accepted.length, trace.accepted, `oracle: ${name}`)
        t.same(simulator, oracle, `simulator: ${name}`)
      }
    }
  }
})

t.test('the corners of the meaning', async (t) => {
  const corners: readonly TimedCorner[] = [
    ...[...CORNERS, ...KIND_CORNERS, ...OPENING_CORNERS],
    ...CARRIER_CORNERS,
  ]
  for (const { name, doors, guard, spec: parts, packets, verdicts, counters } of corners) {
    const spec = validateSpec({ doors, ...parts, ...(guard && { guard }) })
    let pauses = 0
    const timed = packets.map(({ after = 0, ...packet }, index) => {
      pauses += after
      return { ...packet, at: pauses + index / 512 }
    })
    const { oracle, simulator } = play(spec, timed)
    t.same(oracle.verdicts, verdicts, name)
    t.match(Object.values(oracle.states[0] ?? {})[0]?.counters, counters, name)
    t.same(simulator, oracle, `simulator: ${name}`)
  }
})
