// The well-known recipes and knocklib's tables for the same purpose, with the same packets →
// docs/decide/peers.md. UPDATE=1 writes the page again.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { missing } from '../machine/capabilities.js'
import { exec, SERVER, sweep } from '../machine/namespaces.js'
import { startService } from '../setups/service-setup.js'
import { tableOf } from './ours.js'
import { pageOf } from './page.js'
import type { Peer } from './peer.js'
import { PeerSetup } from './peer-setup.js'
import { SINGLE_PORT } from './recent.js'
import { RECIPES, SINGLE_PORT_SPEC } from './recipes.js'
import { type PeerRun, runPeers } from './run-peers.js'
import { letIn } from './traces/traces.js'

const PAGE = fileURLToPath(new URL('../../docs/decide/peers.md', import.meta.url))

const skip = missing('iptables', 'xt_recent', 'knockd', 'setpriv')
if (!skip) sweep()

t.jobs = 2

t.test('peers and knocklib give the documented results', { skip, buffered: true }, async (t) => {
  const peers = RECIPES.map(({ peer, traces }): PeerRun => ({ peer, traces }))
  const ours = RECIPES.map(({ spec, traces }): PeerRun => ({ peer: tableOf(spec), traces }))
  const through = await runPeers([...peers, ...ours])
  const lets = (runs: readonly PeerRun[]) =>
    RECIPES.map(({ service, traces }, place) => {
      const passed = through.get(runs[place] as PeerRun) ?? []
      return traces.map((trace) => letIn(trace, service, passed))
    })
  const [seen, own] = [lets(peers), lets(ours)]
  for (const [place, { title, traces }] of RECIPES.entries()) {
    for (const [index, { name, ours, why }] of traces.entries()) {
      t.equal(own[place]?.[index], ours, `${title}, ${name}: knocklib has the expected result`)
      const differs = seen[place]?.[index] !== ours
      t.equal(why !== undefined, differs, `${title}, ${name}: a reason where they differ`)
    }
  }
  const page = pageOf(RECIPES, seen)
  if (process.env['UPDATE'] === '1') writeFileSync(PAGE, page)
  t.equal(readFileSync(PAGE, 'utf8'), page, 'docs/decide/peers.md')
})

/** A program that asks for one connection. Prints the seconds until it was accepted, if ever. */
const CONNECT = `
  const [host, port, seconds] = process.argv.slice(1)
  const start = performance.now()
  require('node:net').connect({ host, port: Number(port) })
    .on('connect', () => console.log((performance.now() - start) / 1000) ?? process.exit())
  setTimeout(() => process.exit(), Number(seconds) * 1000)
`

t.test(
  'a connect() that waits passes a peer’s rate, but not ours',
  { skip, buffered: true },
  async (t) => {
    const connect = async (peer: Peer): Promise<string> => {
      await using setup = await PeerSetup.open(peer, { silent: false })
      await using _service = await startService(setup.pair.server, 22)
      const args = ['-e', CONNECT, SERVER[4], '22', '8']
      return (await exec(setup.pair.client, process.execPath, args)).stdout
    }
    const [theirs, ours] = await Promise.all([
      connect(SINGLE_PORT),
      connect(tableOf(SINGLE_PORT_SPEC)),
    ])
    t.ok(Number(theirs) > 3 && Number(theirs) < 5, `the peer let it in after ${theirs.trim()} s`)
    t.equal(ours, '', 'knocklib did not let it in')
  },
)
