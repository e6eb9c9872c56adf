// New packets to unrelated ports → nanoseconds for each: without a table, with a plain stateful
// one, with one door and with a thousand.
//
//   npm run bench -- packets [RUNS] [PACKETS]
//
// One core sends SYNs to random ports. On a veth pair the receive path runs on the sending core, so
// a run's time is the sum of both. In all variants the same rule drops the packets at the end. Runs
// are interleaved: A B C D, A B C D, …
import { createNft, installKnock } from 'knocklib'
import { apply, createPair, exec, type Pair, sweep } from '../../machine/namespaces.js'
import { floodOnce } from '../../wire/generator.js'
import { median, minimum, pairedRatio, report } from '../report.js'
import { specOf } from '../specs.js'

const RUNS = Number(process.argv[2] ?? 7)
const PACKETS = Number(process.argv[3] ?? 1_000_000)

const TAIL = `table inet tail {
  chain input {
    type filter hook input priority 100
    drop
  }
}`
const PLAIN = `table inet plain {
  chain input {
    type filter hook input priority -10
    ct state established,related accept
  }
}`

/** Sets a variant up. Returns a function that removes it. */
type Variant = (pair: Pair) => Promise<() => Promise<unknown>>

const doors =
  (count: number): Variant =>
  async ({ server }) => {
    const knock = await installKnock(specOf(count), { nft: createNft({ netns: server }) })
    return () => knock.uninstall()
  }

const VARIANTS: Readonly<Record<string, Variant>> = {
  'no table': async () => async () => {},
  'ct state established,related accept': async ({ server }) => {
    await apply(server, PLAIN)
    return () => exec(server, 'nft', ['delete', 'table', 'inet', 'plain'])
  },
  '1 door': doors(1),
  '1,000 doors': doors(1000),
}

sweep()
await using pair = await createPair()
await apply(pair.server, TAIL)
const runs: Record<string, number[]> = {}
for (let run = 0; run < RUNS; run += 1) {
  for (const [name, variant] of Object.entries(VARIANTS)) {
    const remove = await variant(pair)
    const own = runs[name] ?? []
    own.push(await floodOnce(pair, PACKETS))
    runs[name] = own
    await remove()
  }
}
const of = (name: string) => runs[name] as number[]
const plain = of('ct state established,related accept')
const floor = minimum(of('no table'))
const net = (name: string) => median(of(name)) - floor
report(
  'packets',
  Object.entries(runs).map(([name, values]) => ({ name, unit: 'ns per packet', runs: values })),
  {
    '1 door / plain stateful table': pairedRatio(of('1 door'), plain),
    '1,000 doors / plain stateful table': pairedRatio(of('1,000 doors'), plain),
    '1,000 doors / 1 door': pairedRatio(of('1,000 doors'), of('1 door')),
    '1 door / plain, without the generator and the empty path':
      net('1 door') / net('ct state established,related accept'),
  },
)
