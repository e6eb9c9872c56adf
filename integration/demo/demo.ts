// The demo: a door between two network namespaces of its own, seen closed, knocked open and closing
// again. Prints each step.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNft, installKnock, type Knock, type KnockSpec } from 'knocklib'
import { createPair, exec, type Pair, SERVER, start, sweep } from '../machine/namespaces.js'

const CLI = fileURLToPath(new URL('../../../dist/command/launch.cjs', import.meta.url))
const PORT = 2222
const GREETING = 'hello from behind the door'
const STEPS = ['tcp/7000', 'udp/8000', 'tcp/9000']
const OPEN_FOR = 4

const SPEC: KnockSpec = {
  doors: [
    {
      name: 'service',
      service: `tcp/${PORT}`,
      knock: { type: 'sequence', steps: STEPS, stepTimeout: '5s' },
      open: { for: `${OPEN_FOR}s` },
    },
  ],
}

const begun = performance.now()

function show(text: string): void {
  const seconds = ((performance.now() - begun) / 1000).toFixed(2)
  console.log(`${seconds.padStart(6)} s  ${text}`)
}

/** Ends the demo with an error if something that it promises is not so. */
function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`this should have been so, and is not: ${what}`)
}

/** Starts a TCP service that greets. It ends with its stdin, so it cannot outlive the demo. */
async function startService({ server }: Pair): Promise<AsyncDisposable> {
  const code = `
    process.stdin.on('end', () => process.exit()).resume()
    require('node:net')
      .createServer((socket) => socket.on('error', () => {}).end(${JSON.stringify(GREETING)}))
      .listen(${PORT}, '::', () => console.log('ready'))`
  const child = start(server, process.execPath, ['-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the service ended with ${code}`)
  })
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), failed])
  failed.catch(() => {})
  return {
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await once(child, 'close')
    },
  }
}

/** Connects from the client. Returns the service's greeting; undefined if nothing answers. */
async function tryService({ client }: Pair, host: string): Promise<string | undefined> {
  const code = `
    const socket = require('node:net').connect({ host: ${JSON.stringify(host)}, port: ${PORT} })
    const fail = () => process.exit(1)
    socket.setTimeout(700, fail).on('error', fail).pipe(process.stdout)`
  const { code: exitCode, stdout } = await exec(client, process.execPath, ['-e', code])
  return exitCode === 0 ? stdout : undefined
}

async function showSteps(pair: Pair, knock: Knock, host: string, client: string): Promise<void> {
  const door = knock.door('service')
  expect((await tryService(pair, host)) === undefined, 'the door is closed before the knock')
  show(`client → ${host} port ${PORT}: no answer. The door is closed.`)

  const sent = await exec(pair.client, process.execPath, [CLI, 'knock', host, ...STEPS])
  expect(sent.code === 0, `the knock is sent (${sent.stderr.trim()})`)
  show(`client knocks: ${STEPS.join(', ')}`)

  const answer = await tryService(pair, host)
  expect(answer === GREETING, 'the door is open after the knock')
  show(`client → ${host} port ${PORT}: "${answer}". The door is open.`)

  const [grant, ...others] = await door.grants()
  expect(grant?.source === client && others.length === 0, 'the set holds the client, and it alone')
  show(`the kernel's set holds ${grant?.source}, ${grant?.expiresIn} s and a bit left`)

  while ((await door.grants()).length > 0) await sleep(200)
  expect((await tryService(pair, host)) === undefined, 'the door is closed after the grant')
  show(`${OPEN_FOR} s after the knock: the set is empty, and the client gets no answer again.`)
}

async function main(): Promise<void> {
  sweep()
  await using pair = await createPair()
  show(`two network namespaces stand: ${pair.server} and ${pair.client}`)
  await using _service = await startService(pair)
  show(`a TCP service listens on port ${PORT}, and greets who reaches it`)
  await using knock = await installKnock(SPEC, { nft: createNft({ netns: pair.server }) })
  show(`the door stands, as nft table inet ${knock.table}; no daemon runs`)

  console.log('\n— over IPv4 —')
  await showSteps(pair, knock, SERVER[4], '10.77.0.2')
  console.log('\n— over IPv6 —')
  await showSteps(pair, knock, SERVER[6], 'fd00:77::2')

  const { knocks, grants, denied } = (await knock.counters())['service'] ?? {}
  console.log()
  show(`counted by the kernel: ${knocks} knocks, ${grants} grants, ${denied} packets turned away`)
  expect(knocks === 6 && grants === 2, 'six knocks made two grants')
}

try {
  await main()
  show('all as it should be; the namespaces are gone')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
