// Connections that stand when a door is put before them, and connections that a grant counts, in the kernel.
import { once } from 'node:events'
import t from 'tap'
import { createNft, installKnock, type KnockSpec, type OpenSpec } from '../lib/index.js'
import { missing } from './capabilities.js'
import { createPair, exec, type Pair, SERVER, start } from './namespaces.js'
import { versionsOrSkip } from './nft-versions.js'

const skip = missing('hping3', 'nc')
const { versions } = await versionsOrSkip()

const PORT = 2222

const specOf = (service: string, open: OpenSpec): KnockSpec => ({
  doors: [{ name: 'door', service, knock: { type: 'sequence', steps: ['udp/7000'] }, open }],
})

/** Answers each line with itself in capitals. The server never speaks first. */
const ECHO = `
  process.stdin.on('end', () => process.exit()).resume()
  require('node:net').createServer((socket) => {
    socket.on('error', () => {}).on('data', (data) => socket.write(String(data).toUpperCase()))
  }).listen(${PORT}, '::', () => console.log('ready'))`

/** Connects; for each line on its stdin it says what came back within a second. */
const CLIENT = (host: string) => `
  const socket = require('node:net').connect({ host: '${host}', port: ${PORT} }, () => console.log('connected'))
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
  for (const host of [SERVER[4], SERVER[6]]) {
    for (const service of [`tcp/${PORT}`, 'tcp', 'any']) {
      t.test(
        `a connection from before lives on: ${service}, ${host}, nft ${version}`,
        async (t) => {
          await using pair = await createPair()
          await using _service = await run(pair.server, ECHO, 'ready')
          // Nothing in this namespace has switched conntrack on: it does not know this connection.
          await using client = await run(pair.client, CLIENT(host), 'connected')
          const nft = createNft({ binary: path, netns: pair.server })
          await installKnock(specOf(service, { for: '30s' }), { nft })
          t.equal(await client.say('one'), 'ONE', 'the client speaks first')
          t.equal(await client.say('two'), 'TWO')
          const late = await exec(pair.client, 'nc', ['-z', '-w1', host, String(PORT)])
          t.not(late.code, 0, 'a new one needs a knock')
        },
      )
    }
  }
}

/** One TCP packet with these flags, as hping3 names them, from a fixed source port. */
const probe = ({ client }: Pair, ...args: string[]) =>
  exec(client, 'hping3', ['-c', '1', '-p', String(PORT), '-s', '40000', ...args, SERVER[4]])

t.test('a stranger who pretends to have a connection meets silence', { skip }, async (t) => {
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

t.test('one connection is one, whatever its source port', { skip }, async (t) => {
  await using pair = await createPair()
  await using _service = await run(pair.server, ECHO, 'ready')
  const nft = createNft({ netns: pair.server })
  const spec = specOf(`tcp/${PORT}`, { for: '30s', connections: 1 })
  await using knock = await installKnock(spec, { nft })
  const door = knock.door('door')
  await door.open('10.77.0.2')
  const first = await exec(pair.client, 'nc', ['-z', '-w1', '-p', '40000', SERVER[4], String(PORT)])
  t.equal(first.code, 0)
  t.strictSame(await door.grants(), [], 'it used the grant up')
  // The server closed first or last, the port is free again or not: a new SYN is a new connection.
  const { stdout } = await probe(pair, '-S')
  t.notMatch(stdout, 'flags=SA')
  const other = await exec(pair.client, 'nc', ['-z', '-w1', SERVER[4], String(PORT)])
  t.not(other.code, 0)
})
