// `knocklib connect`: half-closes, big transfers, signals, failures, over both families.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { SERVER, sweep } from '../machine/namespaces.js'
import { FAMILIES } from '../setups/service-setup.js'
import { ClientSetup, outputOf, PORTS, peakMemory, startServices } from './client-setup.js'

const skip = missing('unshare', 'mount')
if (!skip) {
  sweep()
  build()
}

const STEPS = ['tcp/7000', 'udp/8000', 'tcp/9000']
const SPEC = {
  doors: [
    {
      name: 'home',
      service: [`tcp/${PORTS.echo}-${PORTS.reset}`, 'tcp/2300'],
      knock: { type: 'sequence', steps: STEPS, stepTimeout: '20s' },
      open: { for: '1h' },
    },
  ],
} as const

const digestOf = (data: Uint8Array, times = 1): string => {
  const hash = createHash('sha256')
  for (let time = 0; time < times; time += 1) hash.update(data)
  return hash.digest('hex')
}

t.test('data passes in both directions', { skip }, async (t) => {
  await using setup = await ClientSetup.open(() => SPEC)
  await using services = await startServices(setup.pair.server)
  const profile = { steps: STEPS, gap: '20ms', for: '1h' }
  await setup.profile('home', { ...profile, host: SERVER[4] })
  await setup.profile('home6', { ...profile, host: SERVER[6] })
  const call = (name: string, port: number) =>
    setup.start('knocklib', 'connect', name, String(port))

  for (const family of FAMILIES) {
    const name = family === 4 ? 'home' : 'home6'
    const data = randomBytes(300_000)

    const asked = call(name, PORTS.digest)
    asked.stdin?.end(data)
    t.same(
      await outputOf(asked),
      { code: 0, signal: null, stdout: digestOf(data), stderr: '' },
      `IPv${family}: the answer arrives after our side has ended`,
    )

    const told = call(name, PORTS.source)
    const [bye] = await once(told.stdout as NodeJS.ReadableStream, 'data')
    t.equal(String(bye), 'bye')
    await once(told.stdout as NodeJS.ReadableStream, 'end')
    t.equal(
      told.exitCode,
      null,
      `IPv${family}: the end of the server is passed on, and our side goes on`,
    )
    const said = services.line()
    told.stdin?.end(data)
    t.equal(await said, digestOf(data))
    t.equal((await once(told, 'close'))[0], 0)

    const broken = call(name, PORTS.reset)
    broken.stdin?.write('x')
    const { code, stdout, stderr } = await outputOf(broken)
    t.same({ code, stdout }, { code: 1, stdout: '' }, `IPv${family}: a reset is a failure`)
    t.match(stderr, /^knocklib connect: the connection is broken: .*ECONNRESET\n$/)
  }
  t.equal((await setup.counters()).grants, 2, 'one knock for each family')

  const big = call('home', PORTS.echo)
  const block = randomBytes(1_000_000)
  const blocks = 200
  const hash = createHash('sha256')
  const { stdin, stdout } = big
  if (!stdin || !stdout) throw new Error('no pipes')
  // Nobody reads yet: it must stop to take in more.
  let taken = 0
  for (; taken < blocks && stdin.write(block); taken += 1);
  while (
    taken < 60 &&
    (await Promise.race([once(stdin, 'drain'), sleep(500, 'full')])) !== 'full'
  ) {
    stdin.write(block)
    taken += 1
  }
  t.ok(taken < 60, `the command reads no more than it passes on: ${taken} MB`)
  stdout.on('data', (data) => hash.update(data))
  // The first write of the loop that waited, too.
  const written = taken + 1
  for (let left = blocks - written; left > 0; left -= 1) {
    if (!stdin.write(block)) await once(stdin, 'drain')
  }
  const memory = peakMemory(big)
  t.ok(memory < 160, `the command uses ${memory} MiB`)
  stdin.end()
  t.equal((await once(big, 'close'))[0], 0)
  t.equal(hash.digest('hex'), digestOf(block, blocks), '200 MB are sent and received')

  const gone = call('home', PORTS.echo)
  gone.stdin?.write('x')
  await once(gone.stdout as NodeJS.ReadableStream, 'data')
  gone.stdout?.destroy()
  gone.stdin?.write('y')
  t.equal((await once(gone, 'close'))[0], 0, 'the command ends if nobody reads its output')

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const ended = call('home', PORTS.echo)
    ended.stdin?.write('x')
    await once(ended.stdout as NodeJS.ReadableStream, 'data')
    ended.kill(signal)
    t.match(await outputOf(ended), { signal, stdout: '', stderr: '' })
  }
  t.equal((await setup.counters()).grants, 2, 'no other knock was sent')
})
