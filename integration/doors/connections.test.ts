// Connections that exist before a door is installed, and connections that a grant counts, in the
// kernel.
import { once } from 'node:events'
import t from 'tap'
import { createNft, installKnock, type KnockSpec, type OpenSpec } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import {
  apply,
  CABLE,
  CLIENT,
  createPair,
  exec,
  type Pair,
  SERVER,
  start,
} from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { greeting, listen } from '../machine/sockets.js'
import { PacketSetup, host as stranger } from '../setups/packet-setup.js'

const skip = missing('hping3', 'nc')
const { versions } = await versionsOrSkip()

t.jobs = 4

const PORT = 2222

const specOf = (service: string, open: OpenSpec): KnockSpec => ({
  doors: [{ name: 'door', service, knock: { type: 'sequence', steps: ['udp/7000'] }, open }],
})

/** A server that answers each line with itself in capitals, and never speaks first. */
const ECHO = `
  process.stdin.on('end', () => process.exit()).resume()
  require('node:net').createServer((socket) => {
    socket.on('error', () => {}).on('data', (data) => socket.write(String(data).toUpperCase()))
  }).listen(${PORT}, '::', () => console.log('ready'))`

/** A client that sends each line of its stdin, and prints what came back within a second. */
const TALKER = (host: string) => `
  const place = { host: '${host}', port: ${PORT} }
  const socket = require('node:net').connect(place, () => console.log('connected'))
  socket.on('error', (error) => console.log(error.code))
  process.stdin.on('end', () => process.exit()).on('data', (line) => {
    const timer = setTimeout(() => console.log('nothing'), 1000)
    socket.once('data', (data) => { clearTimeout(timer); console.log(String(data).trim()) })
    socket.write(line)
  })`

async function run(namespace: string, code: string, ready: string) {
  const child = start(namespace, process.execPath, ['-e', code], { stdio: 'pipe' })
  const next = async (): Promise<string> => {
    const [data] = await once(child.stdout as NodeJS.ReadableStream, 'data')
    return String(data).trim()
  }
  const first = await next()
  if (first !== ready) throw new Error(`expected ${ready}, got ${first}`)
  return {
    async say(text: string): Promise<string> {
      const answer = next()
      child.stdin?.write(`${text}\n`)
      return answer
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await once(child, 'close')
    },
  }
}

for (const { version, path } of versions) {
  for (const service of [`tcp/${PORT}`, 'tcp', 'any']) {
    t.test(
      `earlier connections stay: ${service}, nft ${version}`,
      { buffered: true },
      async (t) => {
        await using pair = await createPair()
        await using _service = await run(pair.server, ECHO, 'ready')
        // Nothing has enabled conntrack here yet, so it does not know these connections.
        await using first = await run(pair.client, TALKER(SERVER[4]), 'connected')
        await using second = await run(pair.client, TALKER(SERVER[6]), 'connected')
        const nft = createNft({ binary: path, netns: pair.server })
        await installKnock(specOf(service, { for: '30s' }), { nft })
        for (const [host, client] of [
          [SERVER[4], first],
          [SERVER[6], second],
        ] as const) {
          t.equal(await client.say('one'), 'ONE', `${host}: the client speaks first`)
          t.equal(await client.say('two'), 'TWO')
          const late = await exec(pair.client, 'nc', ['-z', '-w1', host, String(PORT)])
          t.not(late.code, 0, `${host}: a new connection needs a knock`)
        }
      },
    )
  }
}

/** Sends a TCP packet with these flags of hping3, from a fixed source port. */
const probe = ({ client }: Pair, ...args: string[]) =>
  exec(client, 'hping3', ['-c', '1', '-p', String(PORT), '-s', '40000', ...args, SERVER[4]])

t.test('packets without a connection get no answer', { skip, buffered: true }, async (t) => {
  await using pair = await createPair()
  await using _service = await run(pair.server, ECHO, 'ready')
  const nft = createNft({ netns: pair.server })
  await using knock = await installKnock(specOf(`tcp/${PORT}`, { for: '30s' }), { nft })
  for (const flags of ['-A', '-F', '-R', '-P', '-S', '-Y', '-X']) {
    const { stdout } = await probe(pair, flags)
    t.notMatch(stdout, 'flags=', `${flags}: no answer`)
  }
  t.equal((await knock.counters())['door']?.denied, 7)
})

t.test('a reused source port is another connection', { skip, buffered: true }, async (t) => {
  await using pair = await createPair()
  await using _service = await run(pair.server, ECHO, 'ready')
  const nft = createNft({ netns: pair.server })
  const spec = specOf(`tcp/${PORT}`, { for: '30s', connections: 1 })
  await using knock = await installKnock(spec, { nft })
  const door = knock.door('door')
  await door.open('10.77.0.2')
  const first = await exec(pair.client, 'nc', ['-z', '-w1', '-p', '40000', SERVER[4], String(PORT)])
  t.equal(first.code, 0)
  t.strictSame(await door.grants(), [], 'the connection used up the grant')
  // Whichever side closed first: a new SYN is a new connection.
  const { stdout } = await probe(pair, '-S')
  t.notMatch(stdout, 'flags=SA')
  const other = await exec(pair.client, 'nc', ['-z', '-w1', SERVER[4], String(PORT)])
  t.not(other.code, 0)
})

/**
 * Returns a table that counts the SYNs that pass the doors. `parts`: more of the table.
 */
const behind = (parts = '') => `table inet arrived {
  counter syns { }
  chain in {
    type filter hook input priority 100
    tcp dport ${PORT} tcp flags & (syn | ack) == syn counter name syns
  }
  ${parts}
}`

/** Returns a function: sequence numbers → SYNs from one port; how many reached the service. */
async function sender(setup: PacketSetup, source: string, binary: string) {
  const { server } = setup.pair
  const packet = { at: 0, source, protocol: 'tcp', port: PORT, sourcePort: 4000 } as const
  const list = ['list', 'counters', 'table', 'inet', 'arrived']
  return async (...sequences: readonly number[]): Promise<number> => {
    await exec(server, binary, ['reset', 'counters', 'table', 'inet', 'arrived'])
    for (const sequence of sequences) setup.injector.send({ ...packet, sequence })
    await setup.injector.flush()
    const { stdout } = await exec(server, binary, list)
    return Number(/packets (\d+)/.exec(stdout)?.[1])
  }
}

for (const { version, path } of [versions[0], versions.at(-1)].flatMap((one) => one ?? [])) {
  for (const service of [`tcp/${PORT}`, 'tcp', 'any']) {
    t.test(
      `SYNs within a connection count: ${service}, nft ${version}`,
      { buffered: true },
      async (t) => {
        for (const open of [{}, { connections: 2 }, { established: 'cut' } as const]) {
          const spec = specOf(service, { for: '60s', ...open })
          await using setup = await PacketSetup.open(spec, path)
          await using _service = await listen(setup.pair.server, PORT, 'hello')
          await apply(setup.pair.server, behind(), path)
          const door = setup.knock.door('door')
          for (const family of [4, 6] as const) {
            const send = await sender(setup, stranger(1, family), path)
            const name = `IPv${family}, ${JSON.stringify(open)}`
            t.equal(await send(1), 0, `${name}: a SYN without a grant is dropped`)
            await door.open(stranger(1, family))
            t.equal(await send(2), 1, `${name}: a SYN with a grant passes`)
            await door.close(stranger(1, family))
            t.equal(await send(2, 3, 4), 0, `${name}: further SYNs are dropped`)
            await door.open(stranger(1, family))
            const rest = 'connections' in open ? 2 : 3
            t.equal(await send(5, 6, 7), rest, `${name}: each SYN counts with the next grant`)
          }
        }
      },
    )
  }
}

for (const { version, path } of [versions[0], versions.at(-1)].flatMap((one) => one ?? [])) {
  t.test(`untracked connections count, nft ${version}`, { buffered: true }, async (t) => {
    for (const hook of ['input', 'prerouting']) {
      for (const connections of [1, 2]) {
        const spec = specOf(`tcp/${PORT}`, { for: '60s', connections })
        await using setup = await PacketSetup.open({ ...spec, hook, interfaces: [CABLE] }, path)
        const { pair, knock } = setup
        await using _service = await listen(pair.server, PORT, 'hello')
        const raw = ['prerouting', 'output'].map(
          (hook) => `chain raw_${hook} {
            type filter hook ${hook} priority -310
            tcp dport ${PORT} notrack
            tcp sport ${PORT} notrack
          }`,
        )
        await apply(pair.server, behind(raw.join('\n')), path)
        for (const family of [4, 6] as const) {
          const name = `${hook}, IPv${family}, ${connections}`
          const me = CLIENT[family]
          const ask = () => greeting(pair.client, SERVER[family], PORT)
          const mine = await sender(setup, me, path)
          t.equal(await mine(1), 0, `${name}: a SYN without a grant is dropped`)
          await knock.door('door').open(me)
          for (let i = 0; i < connections; i += 1) {
            t.equal(await ask(), 'hello', `${name}: connection ${i + 1}`)
          }
          t.equal(await mine(2), 0, `${name}: one more SYN is dropped`)
          const [{ usedUp = [] } = {}] = (await knock.status()).doors
          const used = usedUp.filter(({ source, ago }) => source === me && ago < 60)
          t.equal(used.length, 1, `${name}: the status shows the used-up grant`)
          const send = await sender(setup, stranger(1, family), path)
          await knock.door('door').open(stranger(1, family))
          t.equal(await send(2, 2, 2), 1, `${name}: one SYN is one connection`)
        }
      }
    }
  })
}
