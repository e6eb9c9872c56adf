// A connection that a door has let in → bits a second by iperf3, at each hook and without a table.
//
//   npm run bench -- established [--quick]
//
// iperf3's server and client run in the two namespaces of a pair, each on a core of its own. The
// kernel sends large segments through a veth pair, so few packets carry many bytes. The second part
// has them sent one by one, as a network card sends them.
import { once } from 'node:events'
import { attachKnock, createNft, type KnockSpec } from 'knocklib'
import { isOnPath } from '../../machine/capabilities.js'
import { CABLE, CLIENT, exec, type Pair, SERVER, start, sweep } from '../../machine/namespaces.js'
import { QUICK, type Row, reportRows, rowOf } from '../report.js'
import { addressAt, hookOf, installed } from '../rivals/ours.js'
import { type Hook, NO_TABLE } from '../rivals/tables.js'
import { inTurn, type Ready, type Rival, withReady } from '../rounds.js'

const ROUNDS = QUICK ? 3 : 7
const PORT = 5201
const SECONDS = '1'

type Refresh = false | 'traffic'

const specOf = (hook: Hook, refresh: Refresh): KnockSpec => ({
  ...hookOf(hook),
  doors: [
    {
      name: 'iperf',
      service: `tcp/${PORT}`,
      ...addressAt(hook),
      knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000', 'tcp/9000'] },
      open: { for: '1h', refresh },
    },
  ],
})

const atHook = (hook: Hook, refresh: Refresh = false): Rival => ({
  name: `knocklib at ${hook}${refresh ? ', refresh: traffic' : ''}`,
  needs: ['iperf3'],
  async install(server) {
    await installed(specOf(hook, refresh))(server)
    const knock = await attachKnock({ nft: createNft({ netns: server }) })
    await knock.door('iperf').open(CLIENT[4])
    return undefined
  },
})

const RIVALS = [
  { ...NO_TABLE, needs: ['iperf3'] },
  ...(['input', 'prerouting', 'ingress'] as const).flatMap((hook) => [
    atHook(hook),
    atHook(hook, 'traffic'),
  ]),
]

/** Measures one connection. Returns gigabits a second. */
async function throughput({ server, client }: Pair): Promise<number> {
  const args = ['-c', '0', 'iperf3', '-s', '-1', '-B', SERVER[4], '--forceflush']
  const listener = start(server, 'setpriv', ['--pdeathsig', 'TERM', 'taskset', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(listener, 'close')
  try {
    await Promise.race([once(listener.stdout as NodeJS.EventEmitter, 'data'), ended])
    const asked = ['-c', '1', 'iperf3', '-J', '-c', SERVER[4], '-t', SECONDS]
    const { code, stdout } = await exec(client, 'taskset', asked)
    const found = JSON.parse(stdout) as {
      error?: string
      end: { sum_received: { bits_per_second: number } }
    }
    if (code !== 0) throw new Error(`iperf3: ${found.error}`)
    return found.end.sum_received.bits_per_second / 1e9
  } finally {
    listener.kill('SIGTERM')
    await ended
  }
}

/** Lets both ends of each pair send every segment as a packet of its own. */
async function sendOneByOne(ready: readonly Ready[]): Promise<void> {
  for (const { pair } of ready) {
    for (const end of [pair.server, pair.client]) {
      await exec(end, 'ip', ['link', 'set', CABLE, 'gso_max_segs', '1'])
    }
  }
}

async function partOf(part: string, ready: readonly Ready[]): Promise<Row[]> {
  for (const { runs } of ready) runs.length = 0
  await inTurn(ready, ROUNDS, ({ pair }) => throughput(pair))
  const base = { name: NO_TABLE.name, runs: [...(ready[0]?.runs ?? [])] }
  return ready.map(({ rival, runs }) =>
    rowOf({ part, variant: rival.name, unit: 'Gbit/s', runs, base }),
  )
}

sweep()
if (!isOnPath('iperf3')) console.log('established: no iperf3')
await withReady(RIVALS, async (ready, absent) => {
  const rows = ready.length === 0 ? [] : await partOf('large segments', ready)
  await sendOneByOne(ready)
  if (ready.length > 0) rows.push(...(await partOf('one by one', ready)))
  const method = `${ROUNDS} rounds in turn of ${SECONDS} s each, one connection.`
  reportRows('established', { method, rows, absent })
})
