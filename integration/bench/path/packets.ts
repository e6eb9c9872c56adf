// New packets to unrelated ports → nanoseconds for each: without a table, with a plain firewall,
// and behind a growing number of doors of knocklib, iptables `recent` and knockd.
//
//   npm run bench -- packets [--quick]
//
// One core sends SYNs to random ports that belong to no door. On a veth pair the receive path runs
// on the sending core, so a run's time is the sum of both. In all variants the same rule drops the
// packets at the end.
import { sweep } from '../../machine/namespaces.js'
import { floodOnce } from '../../wire/generator.js'
import { QUICK, type Row, reportRows, rowOf } from '../report.js'
import { knockdDoors } from '../rivals/knockd.js'
import { doorsOf } from '../rivals/ours.js'
import { BACKENDS, recentDoors } from '../rivals/recent.js'
import { GENERATOR, NO_TABLE, PLAIN, STATEFUL_BY_HAND, thenDropped } from '../rivals/tables.js'
import { inTurn, type Ready, withReady } from '../rounds.js'
import { UNRELATED } from '../specs.js'

const ROUNDS = QUICK ? 5 : 13
const PACKETS = 50_000
/** A run has at least so many: some bursts. */
const LEAST = 4000

const RIVALS = [
  GENERATOR,
  ...[
    ...[NO_TABLE, PLAIN, STATEFUL_BY_HAND],
    ...[1, 10, 100, 1000, 10_000].map(doorsOf),
    // Rules in a row: with 10,000 doors a packet would take most of a millisecond.
    ...BACKENDS.flatMap((backend) => [1, 10, 100, 1000].map((x) => recentDoors(backend, x))),
    ...[1, 10, 100, 1000].map(knockdDoors),
  ].map(thenDropped),
]

function rowsOf(ready: readonly Ready[]): Row[] {
  const runsOf = (name: string) => ready.find(({ rival }) => rival.name === name)?.runs
  const floor = runsOf(GENERATOR.name)
  const plain = runsOf(PLAIN.name) ?? []
  return ready.map(({ rival, runs }) =>
    rowOf({
      ...{ part: 'packets', variant: rival.name, x: rival.x, unit: 'ns', runs, floor },
      base: { name: PLAIN.name, runs: plain },
    }),
  )
}

sweep()
await withReady(RIVALS, async (ready, absent) => {
  await inTurn(ready, ROUNDS, ({ rival, pair }) => {
    const packets = Math.max(LEAST, PACKETS * (rival.share ?? 1))
    return floodOnce(pair, packets, UNRELATED, 'tcp')
  })
  const method = `${ROUNDS} rounds in turn of ${PACKETS.toLocaleString('en')} SYNs each.`
  reportRows('packets', { method, rows: rowsOf(ready), absent })
})
