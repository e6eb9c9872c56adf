// The built `knocklib/client` → it runs from a folder of its own: in Node, and where there is
// nothing but what browsers have. Needs what `npm run build` made.
import { spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import type { Vectors } from './vectors.js'

const BUILT = fileURLToPath(new URL('../../../dist/portable/', import.meta.url))
const VECTORS = new URL('../../../schemas/vectors.json', import.meta.url)
const BROWSER = fileURLToPath(new URL('browser.mjs', import.meta.url))

const { tokens }: Vectors = JSON.parse(await readFile(VECTORS, 'utf8'))

/** What a module imports when it is loaded, and what it imports later. */
async function importsOf(name: string): Promise<{ early: string[]; late: string[] }> {
  const text = await readFile(join(BUILT, name), 'utf8')
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest)
  const early = source.statements.flatMap((statement) => {
    const isModule = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)
    const from = isModule ? statement.moduleSpecifier : undefined
    return from ? [(from as ts.StringLiteral).text] : []
  })
  const late = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)/g)].map(([, from = '']) => from)
  return { early, late: [...new Set(late)] }
}

t.test('nothing of Node and no package is imported, unless there are sockets', async (t) => {
  const built = ['client.js', 'core.js', 'node.js', 'page.js', 'yaml.js']
  t.strictSame((await readdir(BUILT)).sort(), built)
  t.strictSame(await importsOf('client.js'), { early: ['./core.js'], late: [] })
  t.strictSame(await importsOf('core.js'), { early: [], late: ['./node.js'] })
  const node = await importsOf('node.js')
  for (const from of [...node.early, ...node.late]) {
    t.match(from, /^(node:[a-z/_]+|\.\/core\.js|\.\/yaml\.js)$/, from)
  }
  t.strictSame(await importsOf('yaml.js'), { early: [], late: [] })
})

/** A copy of the client in a folder that has no packages, and none above it. */
async function copyClient(): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  await cp(BUILT, folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"type": "module"}')
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

async function run(folder: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], XDG_RUNTIME_DIR: join(folder, 'run') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, words] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    child.exitCode ?? once(child, 'exit'),
  ])
  if (words.length > 0) throw new Error(words.join(''))
  return out.join('')
}

/** A UDP socket on loopback, and what comes to it, one by one. */
async function listen(): Promise<{ socket: Socket; port: number; next: () => Promise<Buffer> }> {
  const socket = createSocket('udp4')
  const came: Buffer[] = []
  socket.on('message', (message) => came.push(message))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const next = async () => {
    if (came.length === 0) await once(socket, 'message')
    return came.shift() as Buffer
  }
  return { socket, port: socket.address().port, next }
}

t.test('in Node, from a folder of its own', async (t) => {
  await using copy = await copyClient()
  const { socket, port, next } = await listen()
  t.teardown(() => socket.close())
  const token = { door: 'ssh', port: `udp/${port}`, secretFile: 'ana.key', period: '365d' }
  const files = {
    'ana.key': 'correct horse battery staple\n',
    'steps.yaml': `host: 127.0.0.1\nsteps: [{ protocol: udp, port: ${port}, length: 3 }]\n`,
    'token.json': JSON.stringify({ host: '127.0.0.1', token }),
    'program.js': `
      import { loadProfile, sendKnock, tokenAt } from './client.js'
      const read = await Promise.all(['steps.yaml', 'token.json'].map(loadProfile))
      const sent = []
      for (const profile of ['steps.yaml', 'token.json']) {
        sent.push(await sendKnock(undefined, profile))
      }
      const secret = 'correct horse battery staple'
      const { bytes } = await tokenAt({ door: 'ssh', period: '365d' }, { secret })
      console.log(JSON.stringify({ read, sent, token: Buffer.from(bytes).toString('hex') }))`,
  }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(copy.folder, name), text, { mode: 0o600 })
  }
  const said = JSON.parse(await run(copy.folder, ['program.js']))
  t.match(said.read, [{ steps: [{ length: 3 }] }, { token }])
  const at = { host: '127.0.0.1', addresses: ['127.0.0.1'], packets: 1 }
  t.strictSame(said.sent, [
    { ...at, kind: 'steps' },
    { ...at, kind: 'token' },
  ])
  t.equal((await next()).toString('hex'), '000000')
  t.equal((await next()).toString('hex'), said.token)
})

t.test('in Node, connections of two processes share one knock', async (t) => {
  await using copy = await copyClient()
  const { socket, port } = await listen()
  let knocks = 0
  socket.on('message', () => {
    knocks += 1
  })
  const service = createServer({ allowHalfOpen: true }, (client) => client.pipe(client))
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  t.teardown(() => {
    socket.close()
    service.close()
  })
  const { port: served } = service.address() as AddressInfo
  const steps = [`udp/${port}`]
  await mkdir(join(copy.folder, 'run'), { mode: 0o700 })
  const profile = JSON.stringify({ host: '127.0.0.1', port: served, steps, for: '1h' })
  await writeFile(join(copy.folder, 'profile.json'), profile)
  const programs = {
    'saying.js': `
      import { connectDoor } from './client.js'
      const say = async (word) => {
        const socket = await connectDoor(undefined, 'profile.json')
        socket.end(word)
        return Buffer.concat(await socket.toArray()).toString()
      }
      console.log(JSON.stringify(await Promise.all(['one', 'two', 'three'].map(say))))`,
    'failing.js': `
      import { connectDoor } from './client.js'
      const fail = (host, ...rest) => connectDoor(host, ...rest).catch((error) => error)
      const { code, ...refused } = await fail(undefined, 'profile.json', { port: ${port} })
      const { message } = await fail('127.0.0.1', { steps: ${JSON.stringify(steps)} })
      console.log(JSON.stringify([refused.name, code, message]))`,
  }
  for (const [name, text] of Object.entries(programs))
    await writeFile(join(copy.folder, name), text)
  const ends = await Promise.all([1, 2].map(() => run(copy.folder, ['saying.js'])))
  for (const end of ends) t.strictSame(JSON.parse(end), ['one', 'two', 'three'])
  t.equal(knocks, 1, 'one knock for six connections')
  const [name, code, message] = JSON.parse(await run(copy.folder, ['failing.js']))
  t.strictSame([name, code], ['ConnectError', 'refused'])
  t.match(message, /^connectDoor: port: expected the TCP port of the service/)
})

t.test('where there is nothing but what browsers have', async (t) => {
  await using copy = await copyClient()
  const [vector] = tokens
  if (!vector) throw new Error('no vector')
  const { secret, door, period, time, ipv4 } = vector
  const given = JSON.stringify({ secret, door, period, time })
  const args = ['--experimental-vm-modules', '--no-warnings', BROWSER, copy.folder, given]
  const { loaded, token, failures, answer } = JSON.parse(await run(copy.folder, args))
  t.strictSame(loaded, ['client.js', 'core.js'])
  t.equal(token, ipv4.stun)
  const lacks = 'CapabilityError missing-capability'
  const alone = 'a browser sends tokens with the carrier stun alone'
  const sockets = `${lacks} sendKnock: sockets: ${alone}`
  t.strictSame(failures, {
    'without WebRTC': `${lacks} sendKnock: sockets and WebRTC: this system has neither`,
    'a file': `${lacks} loadProfile: a file to read: a browser cannot do that`,
    'a secret file': `${lacks} sendKnock: a file to read: a browser cannot do that`,
    'a name': `${lacks} sendKnock: the address of server.example: names: a browser cannot do that`,
    'a connection': `${lacks} connectDoor: a TCP connection: a browser cannot do that`,
    steps: sockets,
    'the carrier udp': sockets,
  })
  t.match(answer, /^a=ice-ufrag:[A-Za-z0-9+/]{16}\r$/m)
  t.match(answer, /^a=candidate:1 1 udp 2130706431 192\.0\.2\.1 6000 typ host\r$/m)
})
