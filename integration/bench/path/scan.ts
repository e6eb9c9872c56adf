// A scan of all ports → what it costs a closed host: with a plain firewall, with the least rules by
// hand, with a door of knocklib before every TCP port, and with iptables `recent`.
//
//   npm run bench -- scan [--quick]
//
// One core sends SYNs to random ports. On a veth pair the receive path runs on the sending core, so
// a run's time is the sum of both. A run that drops at ingress measures the generator, because such
// a drop costs almost nothing. It is the floor: ratios are of what comes on top of it.
import { sweep } from '../../machine/namespaces.js'
import { floodOnce } from '../../wire/generator.js'
import { QUICK, type Row, reportRows, rowOf } from '../report.js'
import { closedHost } from '../rivals/ours.js'
import { BACKENDS, recentHost } from '../rivals/recent.js'
import { CLOSED_PLAIN, closedByHand, GENERATOR, type Hook } from '../rivals/tables.js'
import { inTurn, type Ready, withReady } from '../rounds.js'

const ROUNDS = QUICK ? 7 : 25
const PACKETS = 50_000
const HOOKS: readonly Hook[] = ['input', 'prerouting', 'ingress']

const RIVALS = [
  ...[GENERATOR, CLOSED_PLAIN],
  ...HOOKS.flatMap((hook) => [closedByHand(hook), closedHost(hook), closedHost(hook, false)]),
  ...BACKENDS.map(recentHost),
]

function rowsOf(ready: readonly Ready[]): Row[] {
  const runsOf = (name: string) => ready.find(({ rival }) => rival.name === name)?.runs ?? []
  const floor = runsOf(GENERATOR.name)
  const row = (part: string, { rival, runs }: Ready, to: string) =>
    rowOf({
      ...{ part, variant: rival.name, unit: 'ns', runs, floor, isBeyondFloor: true },
      base: { name: to, runs: runsOf(to) },
    })
  const others = ready.filter(({ rival }) => rival !== GENERATOR)
  const at = (hook: Hook, log = true) =>
    ready.filter(({ rival }) => rival.name === closedHost(hook, log).name)
  return [
    ...others.map((one) => row('to the plain firewall', one, CLOSED_PLAIN.name)),
    ...HOOKS.flatMap((hook) =>
      [...at(hook), ...at(hook, false)].map((one) =>
        row('to rules by hand', one, closedByHand(hook).name),
      ),
    ),
    ...HOOKS.flatMap((hook) =>
      at(hook).map((one) => row('to no log', one, closedHost(hook, false).name)),
    ),
  ]
}

sweep()
await withReady(RIVALS, async (ready, absent) => {
  await inTurn(ready, ROUNDS, ({ pair }) => floodOnce(pair, PACKETS))
  const method = `${ROUNDS} rounds in turn of ${PACKETS.toLocaleString('en')} SYNs each.`
  reportRows('scan', { method, rows: rowsOf(ready), absent })
})
