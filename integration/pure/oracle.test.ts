// Traces with known outcomes and random ones → the oracle and the simulator agree on each. No root
// needed.
import fc from 'fast-check'
import t from 'tap'
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { KINDS, type Scale } from '../chance/arbitrary-knock.js'
import { kindsOf, manyDoors, spec } from '../chance/arbitrary-spec.js'
import { events, interleave, packetsOf, type Untimed } from '../chance/arbitrary-trace.js'
import { hear, oracleOf, same, simulatorOf } from '../play/witnesses.js'
import { CORNERS } from '../traces/corners.js'
import { CARRIER_CORNERS } from '../traces/corners-carriers.js'
import { KIND_CORNERS } from '../traces/corners-kinds.js'
import { OPENING_CORNERS, type TimedCorner } from '../traces/corners-openings.js'
import { packetsOfTimed, ratesOf, rhythmsOf } from '../traces/worked-times.js'
import { packetsOfTrace, WORKED, workedSpec } from '../traces/worked-traces.js'

/**
 * Random pairs of spec and trace: with specs of all kinds, and with those of each kind alone.
 */
const RUNS = 1600
const RUNS_OF_KIND = 300
/** Pairs whose specs have many doors, which are slow to build. */
const MANY_DOORS_RUNS = 200

const SCALE: Scale = {
  stepTimeout: [1, 3, 5],
  timeout: [5, 8, 12],
  open: [2, 10, 60],
  pace: [
    [0, 3],
    [1, 4],
    [3, 5],
    [2, 10],
  ],
  window: [2, 3, 4],
  penalty: [1, 4, 9],
  ban: [3, 10, 30],
  every: 600,
  period: [10, 30, 60],
}
const GAPS = [0, 0, 0, 0.5, 0.5, 1, 2, 4, 7, 30]
const SOURCES = ['10.99.0.1', '10.99.0.2', 'fd00:99::1', 'fd00:99::2', '10.99.9.1', 'fd00:99::9:1']

const INTERFACES = [...new Array<string>(12).fill('eth0'), 'lo', 'wg0']

/** The date of the first packet: shortly before the ports of rotations change. */
const START = 3_000_000 * SCALE.every - 50

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

t.test('random specs and traces', async (t) => {
  const reached = agree(spec({ scale: SCALE }), RUNS)
  t.comment(`${RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.grants > RUNS / 2, 'grants were made')
  t.ok(reached.resets > RUNS / 10, 'attempts were reset')
  for (const event of ['knock', 'granted', 'reset', 'wrong', 'denied', 'banned', 'closed']) {
    t.ok((reached.logged[event] ?? 0) > RUNS / 40, `${event} was reported`)
  }
  t.ok(reached.unsettled < RUNS / 20, 'few traces depend on when a source ceases to be knocking')
})

for (const kind of KINDS) {
  t.test(`random specs and traces, ${kind} alone`, async (t) => {
    const reached = agree(spec({ scale: SCALE, kinds: [kind] }), RUNS_OF_KIND)
    t.comment(`${RUNS_OF_KIND} pairs of ${kind}: ${JSON.stringify(reached)}`)
    for (const family of [4, 6]) {
      t.ok((reached.made[`${kind}/${family}`] ?? 0) > RUNS_OF_KIND / 10, `grants over IPv${family}`)
    }
  })
}

t.test('random specs of many doors', async (t) => {
  const reached = agree(manyDoors(SCALE), MANY_DOORS_RUNS)
  t.comment(`${MANY_DOORS_RUNS} pairs: ${JSON.stringify(reached)}`)
  t.ok(reached.resets > MANY_DOORS_RUNS, 'attempts were reset')
})

/** Counts what random traces have reached. */
class Reached {
  grants = 0
  closes = 0
  resets = 0
  wrong = 0
  denied = 0
  bans = 0
  ignored = 0
  unsettled = 0
  /**
   * Traces of specs with each kind of knock, and grants by each kind; by kind and family.
   */
  readonly traces: Record<string, number> = {}
  readonly made: Record<string, number> = {}
  /** Logged events by kind. */
  readonly logged: Record<string, number> = {}

  add(spec: ValidSpec, packets: readonly Packet[], { oracle, grants }: ReturnType<typeof play>) {
    const families = new Set(packets.map(({ source }) => (source.includes(':') ? 6 : 4)))
    for (const kind of kindsOf(spec))
      for (const family of families) {
        tally(this.traces, `${kind}/${family}`, 1)
      }
    for (const text of oracle.logged) tally(this.logged, JSON.parse(text).event, 1)
    for (const [label, count] of grants) tally(this.made, label, count)
    this.bans += oracle.guards[0]?.bans ?? 0
    this.ignored += oracle.guards[0]?.ignored ?? 0
    for (const { counters } of Object.values(oracle.states[0] ?? {})) {
      for (const kind of ['grants', 'closes', 'resets', 'wrong', 'denied'] as const) {
        this[kind] += counters[kind]
      }
    }
  }
}

function tally(counts: Record<string, number>, label: string, count: number): void {
  counts[label] = (counts[label] ?? 0) + count
}

/** Plays random traces of random specs until simulator and oracle differ. */
function agree(specs: fc.Arbitrary<ValidSpec>, runs: number): Reached {
  const reached = new Reached()
  const some = events({ gaps: GAPS, most: 24, logged: true })
  const pair = specs.chain((spec) => fc.tuple(fc.constant(spec), some, fc.option(some)))
  const property = fc.property(pair, ([spec, events, others]) => {
    const stage = { sources: SOURCES, interfaces: INTERFACES, start: START, every: SCALE.every }
    const packets = timed(
      interleave(packetsOf(spec, events, stage), packetsOf(spec, others ?? [], stage)),
    )
    const played = play(spec, packets)
    reached.unsettled += played.settled ? 0 : 1
    fc.pre(played.settled)
    reached.add(spec, packets, played)
    if (same(played.oracle, played.simulator)) return
    const { oracle, simulator } = played
    throw new Error(JSON.stringify({ spec, packets, oracle, simulator }))
  })
  fc.assert(property, { numRuns: runs })
  return reached
}

/**
 * Adds up the gaps. No two packets differ by whole quarters of a second, so no timeout ends exactly
 * at a packet.
 */
function timed(packets: readonly Untimed[]): Packet[] {
  let seconds = START
  return packets.map(({ gap, ...packet }, index) => {
    seconds += gap
    return { ...packet, at: seconds + (index + 0.5) / 4096 }
  })
}

function play(spec: ValidSpec, packets: readonly Packet[]) {
  const loaded = Math.floor(packets[0]?.at ?? 0)
  const end = [(packets.at(-1)?.at ?? 0) + 0.5 / 4096]
  const witness = oracleOf(spec, { loaded })
  const oracle = hear(witness, packets, end)
  const lenient = hear(oracleOf(spec, { loaded, remembers: 'all' }), packets, end)
  const simulator = hear(simulatorOf(spec, loaded), packets, end)
  return { oracle, simulator, settled: same(oracle, lenient), grants: witness.made() }
}
