// A flood of the first knock port from a growing number of spoofed sources → what a packet costs,
// and how often a client gets in meanwhile: with knocklib, iptables `recent` and knockd.
//
//   npm run bench -- sources [--quick]
//
// One core sends as fast as it can. On a veth pair the receive path runs there, too. During the
// flood a client knocks and connects, one attempt after the other. After each its grant is closed.
import { attachKnock, createNft, type KnockSpec } from 'knocklib'
import { CLIENT, exec, type Pair, sweep } from '../../machine/namespaces.js'
import { QUICK, type Row, reportRows, rowOf } from '../report.js'
import { knockdDoor } from '../rivals/knockd.js'
import { installed } from '../rivals/ours.js'
import { BACKENDS, type Backend, recentDoor } from '../rivals/recent.js'
import { GENERATOR } from '../rivals/tables.js'
import { type Rival, withReady } from '../rounds.js'
import {
  closeIptables,
  type Entrance,
  type Flooding,
  generatorOf,
  getsIn,
  knockBy,
  outcomeOf,
} from './attempts.js'

const ATTEMPTS = QUICK ? 4 : 6
const COUNTS = [1, 100, 10_000, 100_000, 200_000, 1_000_000]
/** The peers bend before, and knockd needs a core for itself. */
const MOST_OF_PEERS = 10_000

const SPEC: KnockSpec = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000', 'tcp/8000', 'tcp/9000'] },
      open: { for: 5 },
    },
  ],
}

interface Entered extends Rival {
  readonly entrance: (pair: Pair) => Promise<Entrance>
}

const attached = ({ server }: Pair) => attachKnock({ nft: createNft({ netns: server }) })

const OURS: Entered = {
  name: 'knocklib',
  needs: ['knock', 'nc'],
  install: installed(SPEC),
  async entrance(pair) {
    const knock = await attached(pair)
    return {
      knock: knockBy(pair, '7000', '8000', '9000'),
      close: () => knock.door('ssh').close(CLIENT[4]),
    }
  },
}

/** Forgets the client in the lists of all stages: a stage is not left when the next is reached. */
const FORGET = `for stage in 1 2 3; do echo -${CLIENT[4]} >/proc/net/xt_recent/d0_$stage; done`

const recent = (backend: Backend): Entered => ({
  ...recentDoor(backend),
  needs: [...(recentDoor(backend).needs ?? []), 'knock', 'nc'],
  entrance: async (pair) => ({
    knock: knockBy(pair, '7000', '8000', '9000'),
    close: () => exec(pair.server, 'sh', ['-c', FORGET]),
  }),
})

const KNOCKD: Entered = {
  ...knockdDoor(),
  needs: [...(knockdDoor().needs ?? []), 'knock', 'nc'],
  entrance: async (pair) => ({
    knock: knockBy(pair, '7000', '8000', '9000'),
    close: closeIptables(pair, 'iptables'),
  }),
}

const flooding = (sources: number): Flooding => ({ port: 7000, protocol: 'tcp', sources })

async function rowsOf(x: number, rivals: readonly Entered[], absent: Set<string>): Promise<Row[]> {
  const floor = await withReady([GENERATOR], async ([one]) =>
    one ? await generatorOf(one.pair, flooding(x)) : Number.NaN,
  )
  const rows: Row[] = []
  for (const rival of rivals) {
    // One at a time: a daemon that has a core to itself must not take it from the next.
    await withReady([rival], async ([one], lacks) => {
      for (const lack of lacks) absent.add(lack)
      if (!one) return
      const entrance = await rival.entrance(one.pair)
      if (!(await getsIn(one.pair, entrance))) {
        absent.add(`${rival.name}: the client does not get in even without a flood`)
        return
      }
      const { cost, letIn, memory } = await outcomeOf(one.pair, flooding(x), entrance, ATTEMPTS)
      const own = { variant: rival.name, x }
      console.log(`  ${rival.name}, ${x}: ${letIn} of ${ATTEMPTS}`)
      rows.push(
        rowOf({ ...own, part: 'a packet of the flood', unit: 'ns', runs: [cost], floor: [floor] }),
        rowOf({ ...own, part: 'kernel memory', unit: 'MiB', runs: [memory] }),
        rowOf({ ...own, part: 'let in', unit: `of ${ATTEMPTS}`, runs: [letIn] }),
      )
    })
  }
  return rows
}

sweep()
const absent = new Set<string>()
const rows: Row[] = []
for (const x of COUNTS) {
  const peers = x <= MOST_OF_PEERS ? [...BACKENDS.map(recent), KNOCKD] : []
  rows.push(...(await rowsOf(x, [OURS, ...peers], absent)))
}
const method = `One flood for each; ${ATTEMPTS} attempts during each.`
reportRows('sources', { method, rows, absent: [...absent] })
