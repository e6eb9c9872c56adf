// Grants for a number of connections, and connections at the same moment on two processors.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { apply, CABLE, exec, NFT, SERVER, start, sweep } from '../machine/namespaces.js'
import { PacketSetup } from '../setups/packet-setup.js'
import { frameOf } from '../wire/frames.js'

const skip = missing('taskset')
if (!skip) sweep()

const INJECT = fileURLToPath(new URL('../wire/inject.pl', import.meta.url))
const PORT = 2222
const SOURCES = 500

const source = (index: number, family: 4 | 6): string =>
  family === 4 ? `10.99.${index >> 8}.${index & 255}` : `fd00:99::${(index + 1).toString(16)}`

/** Sends SYNs of all sources from one processor, each at its moment or all at once. */
async function sendTogether(
  { pair }: PacketSetup,
  family: 4 | 6,
  cpu: number,
  sourcePort: number,
  begin?: number,
) {
  const stdio = ['pipe', 'ignore', 'inherit'] as const
  const child = start(pair.client, 'taskset', ['-c', String(cpu), 'perl', INJECT], {
    stdio: [...stdio],
  })
  const lines = Array.from({ length: SOURCES }, (_, index) => {
    const packet = { at: 0, protocol: 'tcp', port: PORT, sourcePort } as const
    const addresses = { source: source(index, family), destination: SERVER[family] }
    const frame = frameOf({ ...packet, ...addresses })
    const moment = begin === undefined ? '' : ` ${(begin + 0.002 * index).toFixed(6)}`
    return `${CABLE} ${frame.toString('hex')}${moment}\n`
  })
  child.stdin?.end(lines.join(''))
  await once(child, 'close')
}

async function race(t: Test, hook: string, connections: number, family: 4 | 6) {
  const spec = {
    hook,
    interfaces: [CABLE],
    doors: [
      {
        name: 'service',
        service: `tcp/${PORT}`,
        knock: { type: 'sequence', steps: ['udp/7000'] },
        open: { for: '10m', connections },
      },
    ],
  }
  await using setup = await PacketSetup.open(spec, NFT)
  const { server } = setup.pair
  const granted = Array.from({ length: SOURCES }, (_, index) => source(index, family))
  await apply(
    server,
    `table inet arrived {
      counter syns { }
      chain in { type filter hook input priority 100; tcp dport ${PORT} counter name syns drop; }
    }
    add element inet knock grants_service_${family} { ${granted.join(', ')} }`,
  )
  // One connection more than the grant allows. The last two come at the same moment.
  for (let rest = connections - 1; rest > 0; rest -= 1) {
    await sendTogether(setup, family, 0, 2000 + rest)
  }
  const begin = Date.now() / 1000 + 0.5
  await Promise.all([0, 1].map((cpu) => sendTogether(setup, family, cpu, 1000 + cpu, begin)))
  const { stdout } = await exec(server, NFT, ['list', 'counters', 'table', 'inet', 'arrived'])
  const arrived = Number(/packets (\d+)/.exec(stdout)?.[1])
  t.equal(arrived, connections * SOURCES, `${hook}, IPv${family}, ${connections} for each`)
  t.same(await setup.granted(), [], 'all grants are used up')
}

t.test('one connection more than the grant allows', { skip }, async (t) => {
  for (const hook of ['input', 'prerouting']) {
    for (const connections of [1, 2, 8]) {
      for (const family of [4, 6] as const) await race(t, hook, connections, family)
    }
  }
})
