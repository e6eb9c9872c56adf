// A scan of all ports → what it costs a closed host: with a plain stateful firewall, with a door
// before every TCP port, and with the least rules by hand that refuse the same packets.
//
//   npm run bench -- scan [RUNS] [PACKETS]
//
// One core sends SYNs to random ports. On a veth pair the receive path runs on the sending core, so
// a run's time is the sum of both. A run that drops at ingress measures the generator, because such
// a drop costs almost nothing. Runs are interleaved, and the least of each counts: whatever else
// the machine does only adds to a run.
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
import { minimum, report } from '../report.js'

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

/**
 * Makes the least ruleset of one's own that refuses the same SYNs: it asks for a SYN, the ports of
 * knocks, and the grants of both families, and counts the rest.
 */
const minimal = (hook: string): Variant =>
  table(`counter refused {}
  set grants4 { type ipv4_addr; size 262144; flags dynamic,timeout; timeout 30s; }
  set grants6 { type ipv6_addr; size 262144; flags dynamic,timeout; timeout 30s; }
  set knocks { type inet_service; elements = { 7000, 8000, 9000 }; }
  chain in { type filter hook ${hook}
    tcp flags & (syn | ack) != syn accept
    th dport @knocks drop
    ip saddr @grants4 accept
    ip6 saddr @grants6 accept
    counter name refused drop
  }`)

const FLOOR = 'dropped at ingress: the generator'
const PLAIN = 'plain stateful firewall'
const VARIANTS: Readonly<Record<string, Variant>> = {
  [FLOOR]: table(`chain in { type filter hook ingress device "${CABLE}" priority -500\n drop\n }`),
  [PLAIN]: table(
    'chain in { type filter hook input priority 0\n ct state established,related accept\n drop\n }',
  ),
  'door at input': closed('input'),
  'by hand at prerouting': minimal('prerouting priority -300'),
  'door at prerouting': closed('prerouting'),
  'door at prerouting, log: false': closed('prerouting', false),
  'by hand at ingress': minimal(`ingress device "${CABLE}" priority -10`),
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
/** Returns what receiving costs: the run minus the generator. */
const beyond = (name: string) => minimum(of(name)) - floor
const ratio = (name: string, to: string) => [`${name} / ${to}`, beyond(name) / beyond(to)] as const
report(
  'scan',
  [
    ...Object.entries(runs).map(([name, runs]) => ({ name, unit: 'ns per packet', runs })),
    ...Object.keys(VARIANTS)
      .filter((name) => name !== FLOOR)
      .map((name) => ({ name: `${name}, beyond`, unit: 'ns per packet', runs: [beyond(name)] })),
  ],
  Object.fromEntries([
    ...Object.keys(VARIANTS)
      .filter((name) => name.startsWith('door'))
      .map((name) => ratio(name, PLAIN)),
    ...['prerouting', 'ingress'].flatMap((hook) => [
      ratio(`door at ${hook}`, `by hand at ${hook}`),
      ratio(`door at ${hook}`, `door at ${hook}, log: false`),
    ]),
  ]),
)
