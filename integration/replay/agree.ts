// Specs and packets → the oracle and the simulator agree, or an error that has the spec, the
// packets and what each of them says. Packets by hand, or random ones. No kernel.
import fc from 'fast-check'
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import type { Scale } from '../random/arbitrary-knock.js'
import { kindsOf } from '../random/arbitrary-spec.js'
import { events, interleave, packetsOf, type Untimed } from '../random/arbitrary-trace.js'
import { oracleOf, runModel, same, simulatorOf } from './models.js'

/** The times in random specs: seconds. */
export const SCALE: Scale = {
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
  // Tokens are loaded anew every 40 s, and no two packets are further apart.
  horizon: '10m',
  // The first packet is sent on Friday, 2027-01-15, at 07:59:10 in UTC.
  hours: ['fri 08:00-18:00', 'mon-thu 00:00-24:00', '22:00-08:00', 'sat,fri 09:00-09:01'],
  until: ['2027-01-14', '2027-01-15', '2027-01-15T08:00:30Z', '2027-01-15T08:01:10+00:00'],
}
const GAPS = [0, 0, 0, 0.5, 0.5, 1, 2, 4, 7, 30]
const SOURCES = ['10.99.0.1', '10.99.0.2', 'fd00:99::1', 'fd00:99::2', '10.99.9.1', 'fd00:99::9:1']

const INTERFACES = [...new Array<string>(9).fill('eth0'), 'lo', 'wg0', 'wg0', 'wg0', 'wg0']

/** The date of the first packet: shortly before the ports of rotations change. */
const START = 3_000_000 * SCALE.every - 50

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
  /** Logged events by kind; `elsewhere`: tokens from a source that its user does not come from. */
  readonly logged: Record<string, number> = {}

  add(spec: ValidSpec, packets: readonly Packet[], { oracle, grants }: ReturnType<typeof play>) {
    const families = new Set(packets.map(({ source }) => (source.includes(':') ? 6 : 4)))
    for (const kind of kindsOf(spec))
      for (const family of families) {
        tally(this.traces, `${kind}/${family}`, 1)
      }
    for (const text of oracle.logged) {
      const { event, by, user } = JSON.parse(text)
      tally(this.logged, event === 'wrong' && user ? 'elsewhere' : event, 1)
      if (by) tally(this.logged, `${event} by ${by}`, 1)
    }
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

/**
 * Plays random traces of random specs.
 *
 * @returns what the traces reached.
 * @param shareFrom - from how many doors on they share sets and rules.
 * @throws Error if simulator and oracle differ: with a small spec and its packets.
 */
export function agree(specs: fc.Arbitrary<ValidSpec>, runs: number, shareFrom?: number): Reached {
  const reached = new Reached()
  const some = events({ gaps: GAPS, most: 24, logged: true })
  const pair = specs.chain((spec) => fc.tuple(fc.constant(spec), some, fc.option(some)))
  const property = fc.property(pair, ([spec, events, others]) => {
    const settings = { sources: SOURCES, interfaces: INTERFACES, start: START, every: SCALE.every }
    const all = interleave(
      packetsOf(spec, events, settings),
      packetsOf(spec, others ?? [], settings),
    )
    // Shared doors refuse what cannot be read, also from a source that has a grant of each.
    const packets = timed(shareFrom ? all.filter(({ unreadable }) => !unreadable) : all)
    const played = play(spec, packets, shareFrom)
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

/**
 * Plays packets through oracle and simulator.
 *
 * @returns what each says. `settled`: the outcome does not depend on when exactly an attempt ends.
 */
export function play(spec: ValidSpec, packets: readonly Packet[], shareFrom?: number) {
  const loaded = Math.floor(packets[0]?.at ?? 0)
  const end = [(packets.at(-1)?.at ?? 0) + 0.5 / 4096]
  const model = oracleOf(spec, { loaded })
  const oracle = runModel(model, packets, end)
  const lenient = runModel(oracleOf(spec, { loaded, remembers: 'all' }), packets, end)
  const simulator = runModel(simulatorOf(spec, loaded, shareFrom), packets, end)
  return { oracle, simulator, settled: same(oracle, lenient), grants: model.made() }
}
