// SYNs to a table whose sources are blocks, and to the same table without prefixes → nanoseconds
// for each, over IPv4 and IPv6: to a port of no door, and to a closed door.
//
//   npm run bench -- prefix [--quick]
//
// A mask is one more expression of the kernel before a look-up. A packet to a port of no door asks
// whether its source is knocking (`guard.prefix`), one to a closed door whether it is granted
// (`open.prefix`).
import type { KnockSpec } from 'knocklib'
import { sweep } from '../../machine/namespaces.js'
import { floodOnce } from '../../wire/generator.js'
import { QUICK, type Row, reportRows, rowOf } from '../report.js'
import { installed } from '../rivals/ours.js'
import { GENERATOR, thenDropped } from '../rivals/tables.js'
import { inTurn, type Ready, type Rival, withReady } from '../rounds.js'
import { servicePort, specOf, UNRELATED } from '../specs.js'

const ROUNDS = QUICK ? 5 : 21
const PACKETS = 50_000

/** Nothing is logged, so that a refusal costs the same each time. */
function specWith(prefix: { ipv4: number; ipv6: number } | undefined): KnockSpec {
  const spec = specOf(1)
  if (!prefix) return { ...spec, log: false }
  const doors = spec.doors.map((door) => ({ ...door, open: { ...door.open, prefix } }))
  return { log: false, guard: { prefix }, doors }
}

const WHOLE = 'addresses'
const RIVALS: readonly Rival[] = [
  GENERATOR,
  { name: WHOLE, install: installed(specWith(undefined)) },
  { name: 'blocks', install: installed(specWith({ ipv4: 24, ipv6: 64 })) },
].map(thenDropped)

const PARTS = [
  ['no door, IPv4', UNRELATED, 'tcp'],
  ['no door, IPv6', UNRELATED, 'tcp6'],
  ['a closed door, IPv4', servicePort(0), 'tcp'],
  ['a closed door, IPv6', servicePort(0), 'tcp6'],
] as const

async function partOf(ready: readonly Ready[], part: (typeof PARTS)[number]): Promise<Row[]> {
  const [name, port, protocol] = part
  for (const { runs } of ready) runs.length = 0
  await inTurn(ready, ROUNDS, ({ pair }) => floodOnce(pair, PACKETS, port, protocol))
  const runsOf = (rival: string) => [...(ready.find((one) => one.rival.name === rival)?.runs ?? [])]
  const floor = runsOf(GENERATOR.name)
  const base = { name: WHOLE, runs: runsOf(WHOLE) }
  return ready
    .filter(({ rival }) => rival.name !== GENERATOR.name)
    .map(({ rival, runs }) =>
      rowOf({
        ...{ part: name, variant: rival.name, unit: 'ns', runs: [...runs], floor, base },
        isBeyondFloor: true,
      }),
    )
}

sweep()
await withReady(RIVALS, async (ready, absent) => {
  const rows: Row[] = []
  for (const part of PARTS) rows.push(...(await partOf(ready, part)))
  const method = `${ROUNDS} rounds in turn of ${PACKETS.toLocaleString('en')} SYNs each.`
  reportRows('prefix', { method, rows, absent })
})
