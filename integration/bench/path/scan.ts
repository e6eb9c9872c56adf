// A scan of all ports → what it costs a closed host: with a plain stateful firewall, and with a
// door before every TCP port.
//
//   npm run bench -- scan [RUNS] [PACKETS]
//
// One core sends SYNs to random ports. On a veth pair the receive path runs on the sending core, so
// a run's time is the sum of both. A run that drops at ingress measures the generator, because such
// a drop costs almost nothing. Runs are interleaved.
import { createNft, installKnock, type KnockSpec } from 'knocklib'
import {
  apply,
  CABLE,
  createPair,
  exec,
  type Pair,
  SERVER,
  sweep,
} from '../../machine/namespaces.js'
import { floodOnce } from '../../wire/generator.js'
import { median, minimum, report } from '../report.js'

const RUNS = Number(process.argv[2] ?? 7)
const PACKETS = Number(process.argv[3] ?? 1_000_000)

/** Sets a variant up. Returns a function that removes it. */
type Variant = (pair: Pair) => Promise<() => Promise<unknown>>

const table =
  (script: string): Variant =>
  async ({ server }) => {
    await apply(server, `table inet other {\n ${script}\n}`)
    return () => exec(server, 'nft', ['delete', 'table', 'inet', 'other'])
  }

/** Makes a variant whose host answers on no TCP port without a knock. */
const closed = (hook: KnockSpec['hook'], isHeard = true): Variant => {
  const spec: KnockSpec = {
    ...(hook && { hook }),
    ...(!isHeard && { log: false }),
    ...(hook === 'ingress' && { interfaces: [CABLE] }),
    doors: [
      {
        name: 'host',
        service: 'tcp',
        ...(hook === 'prerouting' && { address: [SERVER[4], SERVER[6]] }),
        knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000', 'tcp/9000'] },
        open: { for: '30s' },
      },
    ],
  }
  return async ({ server }) => {
    const knock = await installKnock(spec, { nft: createNft({ netns: server }) })
    return () => knock.uninstall()
  }
}

const FLOOR = 'dropped at ingress: the generator'
const PLAIN = 'plain stateful firewall'
const VARIANTS: Readonly<Record<string, Variant>> = {
  [FLOOR]: table(`chain in { type filter hook ingress device "${CABLE}" priority -500\n drop\n }`),
  [PLAIN]: table(
    'chain in { type filter hook input priority 0\n ct state established,related accept\n drop\n }',
  ),
  'door at input': closed('input'),
  'door at prerouting': closed('prerouting'),
  'door at ingress': closed('ingress'),
  'door at ingress, log: false': closed('ingress', false),
}

sweep()
await using pair = await createPair()
const runs: Record<string, number[]> = {}
for (let run = 0; run < RUNS; run += 1) {
  for (const [name, variant] of Object.entries(VARIANTS)) {
    const remove = await variant(pair)
    runs[name] = [...(runs[name] ?? []), await floodOnce(pair, PACKETS)]
    await remove()
  }
}
const of = (name: string) => runs[name] as number[]
const floor = minimum(of(FLOOR))
/** Returns what receiving cost in each pair of runs: the run minus the generator. */
const ratio = (name: string) =>
  median(of(name).map((value, run) => (value - floor) / ((of(PLAIN)[run] as number) - floor)))
report(
  'scan',
  Object.entries(runs).map(([name, values]) => ({ name, unit: 'ns per packet', runs: values })),
  Object.fromEntries(
    Object.keys(VARIANTS)
      .filter((name) => name.startsWith('door'))
      .map((name) => [`${name} / plain firewall, without the generator`, ratio(name)]),
  ),
)
