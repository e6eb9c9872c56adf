// The packets that sendKnock sends: one SYN for each tcp step, whatever the port answers, and
// nothing after it; every kind of profile.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { derivePorts } from '../../lib/spec/derive/derive.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { build, LIBRARY } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import {
  apply,
  createPair,
  exec,
  listTable,
  type Pair,
  SERVER,
  sweep,
} from '../machine/namespaces.js'
import { FAMILIES, startService } from '../setups/service-setup.js'

const skip = missing()
if (!skip) {
  sweep()
  build()
}

const OPEN = 4000
const CLOSED = 4001
const DROPPING = 4002

/** A table that counts what reaches the server before any verdict, by kind and ports. */
const COUNTING = `table inet counting {
  set syns { type inet_service . inet_service; size 1000; flags dynamic; counter; }
  set resets { type inet_service . inet_service; size 1000; flags dynamic; counter; }
  set pushes { type inet_service . inet_service; size 1000; flags dynamic; counter; }
  set tokens { type inet_service . inet_service; size 1000; flags dynamic; counter; }
  set datagrams { type inet_service . inet_service; size 1000; flags dynamic; counter; }
  chain in {
    type filter hook prerouting priority -300
    tcp flags & (syn | ack) == syn add @syns { tcp sport . tcp dport }
    tcp flags & rst == rst add @resets { tcp sport . tcp dport }
    tcp flags & psh == psh add @pushes { tcp sport . tcp dport }
    meta l4proto udp add @datagrams { udp sport . udp dport }
    udp length 24 add @tokens { udp sport . udp dport }
  }
  chain last {
    type filter hook input priority 100
    th dport ${DROPPING} drop
  }
}`

interface Seen {
  readonly sourcePort: number
  readonly port: number
  readonly packets: number
}

async function seen({ server }: Pair, set: string): Promise<Seen[]> {
  const listing = (await listTable(server, 'counting')) ?? []
  const sets = listing.map((object) => object['set'] as { name: string; elem?: Element[] })
  const elements = sets.find((found) => found?.name === set)?.elem ?? []
  return elements.map(({ elem: { val, counter } }) => {
    const [sourcePort = 0, port = 0] = val.concat
    return { sourcePort, port, packets: counter.packets }
  })
}

interface Element {
  readonly elem: { readonly val: { concat: number[] }; readonly counter: { packets: number } }
}

/** Runs some lines of code with sendKnock at the client. Returns what they print. */
async function atClient({ client }: Pair, host: string, code: string): Promise<string> {
  const script = `const { sendKnock } = await import(process.argv[1]); const host = process.argv[2]
    ${code}`
  const args = ['--input-type=module', '-e', script, LIBRARY, host]
  const { stdout, stderr } = await exec(client, process.execPath, args)
  if (stderr) throw new Error(stderr)
  return stdout
}

/**
 * Returns the states of the client's sockets as the kernel's numbers (tcp_states.h): 2 is SYN-SENT.
 */
async function socketStates({ client }: Pair): Promise<string[]> {
  const files = ['/proc/net/tcp', '/proc/net/tcp6']
  const { stdout } = await exec(client, 'cat', files)
  return [...stdout.matchAll(/^ *\d+: \S+ \S+ (\S\S) /gm)].map(([, state]) => state as string)
}

async function atPair(family: Family, run: (pair: Pair, host: string) => Promise<void>) {
  await using pair = await createPair()
  await using _service = await startService(pair.server, OPEN)
  await apply(pair.server, COUNTING)
  await run(pair, SERVER[family])
}

t.jobs = 2

for (const family of FAMILIES) {
  t.test(`one SYN for each step over IPv${family}`, { skip, buffered: true }, async (t) => {
    await atPair(family, async (pair, host) => {
      const ports = [OPEN, CLOSED, DROPPING, OPEN, CLOSED, DROPPING]
      const steps = JSON.stringify(ports.map((port) => `tcp/${port}`))
      // The process lives as long as two retransmissions would take.
      const wait = 'await new Promise((resolve) => setTimeout(resolve, 3500))'
      const done = atClient(pair, host, `await sendKnock(host, { steps: ${steps} }); ${wait}`)
      while ((await seen(pair, 'syns')).length < ports.length) await sleep(50)
      await sleep(1000)
      t.notOk((await socketStates(pair)).includes('02'), 'no socket is left in SYN-SENT')
      await done
      const syns = await seen(pair, 'syns')
      t.same(syns.map(({ port }) => port).sort(), [...ports].sort())
      t.ok(
        syns.every(({ packets }) => packets === 1),
        'no SYN was sent again',
      )
      t.equal(new Set(syns.map(({ sourcePort }) => sourcePort)).size, ports.length)
      // The service greets a closed connection, so the client answers with a reset, as any client
      // does.
      const resets = (await seen(pair, 'resets')).filter(({ port }) => port !== OPEN)
      t.same(resets, [], 'no RST was sent')
      t.same(await seen(pair, 'pushes'), [], 'no data was sent')
    })
  })

  t.test(`one datagram for each step over IPv${family}`, { skip, buffered: true }, async (t) => {
    await atPair(family, async (pair, host) => {
      const steps = `['udp/${CLOSED}', 'udp/${DROPPING}', 'udp/${CLOSED}', 'udp/${DROPPING}']`
      await atClient(pair, host, `await sendKnock(host, { steps: ${steps} }, { gap: 10 })`)
      const datagrams = await seen(pair, 'datagrams')
      t.equal(datagrams.length, 4, 'each datagram has its own source port')
      t.ok(datagrams.every(({ packets }) => packets === 1))
    })
  })

  t.test(`an abort stops sending over IPv${family}`, { skip, buffered: true }, async (t) => {
    await atPair(family, async (pair, host) => {
      const said = await atClient(
        pair,
        host,
        `const steps = ['tcp/${DROPPING}', 'udp/${CLOSED}', 'tcp/${OPEN}']
        const signal = AbortSignal.timeout(1000)
        const began = performance.now()
        const error = await sendKnock(host, { steps }, { gap: '20s', signal }).catch((e) => e)
        console.log(error === signal.reason, performance.now() - began < 10_000)
        const before = AbortSignal.abort('enough')
        console.log(await sendKnock(host, { steps }, { signal: before }).catch((e) => e))`,
      )
      t.equal(said, 'true true\nenough\n')
      t.match(await seen(pair, 'syns'), [{ port: DROPPING, packets: 1 }])
      t.same(await seen(pair, 'datagrams'), [])
    })
  })
}

const SECRET = 'a secret of more than sixteen bytes'

/** Sends the knock of a profile in a file. Returns the result of sendKnock. */
async function sendProfile(t: Test, pair: Pair, host: string, profile: object): Promise<unknown> {
  const file = join(t.testdirName, 'profile.json')
  await writeFile(file, JSON.stringify(profile))
  const code = `console.log(JSON.stringify(await sendKnock(host, ${JSON.stringify(file)})))`
  return JSON.parse(await atClient(pair, host, code))
}

/** Counts the packets to each port, and tests that none came twice. */
function countPorts(t: Test, packets: readonly Seen[]): Record<string, number> {
  t.ok(packets.every((seen) => seen.packets === 1))
  const ports: Record<string, number> = {}
  for (const { port } of packets) ports[port] = (ports[port] ?? 0) + 1
  return ports
}

for (const family of FAMILIES) {
  t.test(`every kind of profile is sent over IPv${family}`, { skip, buffered: true }, async (t) => {
    const secretFile = join(t.testdir({}), 'key')
    await writeFile(secretFile, SECRET, { mode: 0o600 })
    const base = { door: 'ssh', secretFile }
    await atPair(family, async (pair, host) => {
      const send = (profile: object) => sendProfile(t, pair, host, profile)
      const at = { host, addresses: [host] }
      const token = { ...base, port: 'udp/6000' }
      t.same(await send({ token }), { ...at, kind: 'token', packets: 1 })
      t.same(countPorts(t, await seen(pair, 'tokens')), { 6000: 1 })

      const oneTime = [[CLOSED, `udp/${CLOSED}`, DROPPING], [OPEN]]
      t.same(await send({ oneTime }), { ...at, kind: 'oneTime', packets: 3, left: 1 })
      const rate = { port: `tcp/${DROPPING}`, hits: 5 }
      t.same(await send({ rate }), { ...at, kind: 'rate', packets: 5 })
      const rhythm = { port: `udp/${DROPPING}`, counts: [1, 2, 3], window: 2 }
      t.same(await send({ rhythm }), { ...at, kind: 'rhythm', packets: 6 })
      t.same(countPorts(t, await seen(pair, 'syns')), { [CLOSED]: 1, [DROPPING]: 6 })
      const datagrams = countPorts(t, await seen(pair, 'datagrams'))
      t.same(datagrams, { 6000: 1, [CLOSED]: 1, [DROPPING]: 6 })

      const ports = { from: 20000, to: 60000 }
      const rotate = { ...base, every: '1d', steps: 8, protocol: 'udp', ports: '20000-60000' }
      t.same(await send({ rotate }), { ...at, kind: 'rotate', packets: 8 })
      const period = Math.floor(Date.now() / 86_400_000)
      const shape = { length: 8, protocol: 'udp', ports } as const
      const derived = derivePorts(new TextEncoder().encode(SECRET), 'ssh', period, shape)
      const last = (await seen(pair, 'datagrams')).map(({ port }) => port).filter((p) => p >= 20000)
      t.same(last.sort(), derived.map(({ port }) => port).sort())
    })
  })
}
