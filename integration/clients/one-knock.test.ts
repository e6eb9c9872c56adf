// Many connections at once: how often is knocked, who waits for whom, and what becomes of those
// whose neighbours are killed or fail.
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { KnockSpec } from '../../lib/index.js'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { TerminalRun } from '../setups/terminal.js'
import { ClientSetup, HOST, outputOf, PORTS, startServices } from './client-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('unshare', 'mount', 'script', 'stty')
if (!skip) {
  sweep()
  build()
}

const SERVICE = [`tcp/${PORTS.echo}-${PORTS.reset}`, 'tcp/2300']
/** Nothing listens there. */
const NOBODY = '2300'

const sequence = { type: 'sequence', steps: ['udp/7000', 'udp/8000'], stepTimeout: '20s' } as const
const steps = { steps: ['udp/7000', 'udp/8000'], gap: '20ms' }

const tokenOf = (folder: string, period: string) =>
  ({
    type: 'token',
    port: 'udp/6000',
    period,
    users: [{ name: 'ann', secretFile: join(folder, 'key') }],
  }) as const
const tokenFor = (folder: string, period: string) => ({
  token: { door: 'home', port: 'udp/6000', secretFile: join(folder, 'key'), period },
})

const specOf = (knock: object, open: object = { for: '1h' }): KnockSpec =>
  ({ doors: [{ name: 'home', service: SERVICE, knock, open }] }) as unknown as KnockSpec

async function withSetup(
  spec: (folder: string) => KnockSpec,
  run: (setup: ClientSetup) => Promise<void>,
): Promise<void> {
  // The oldest one knows no tokens.
  await using setup = await ClientSetup.open(spec, { binary: versions[1]?.path })
  await using _services = await startServices(setup.pair.server)
  await run(setup)
}

/** Connects, sends a line and reads it back. */
async function echo(setup: ClientSetup, ...args: readonly string[]) {
  const child = setup.start('knocklib', 'connect', ...args)
  child.stdin?.end('hello')
  return outputOf(child)
}

const DONE = { code: 0, signal: null, stdout: 'hello', stderr: '' }

/** Connects `size` times at once. Every connection must get through. */
async function connectAtOnce(
  t: Test,
  setup: ClientSetup,
  size: number,
  name = 'home',
): Promise<void> {
  const ends = await Promise.all(Array.from({ length: size }, () => echo(setup, name)))
  for (const end of ends) t.same(end, DONE)
}

t.jobs = 2

t.test('twenty connections share a token', { skip, buffered: true }, async (t) => {
  const spec = (folder: string) => specOf(tokenOf(folder, '1h'))
  await withSetup(spec, async (setup) => {
    const profile = { ...tokenFor(setup.folder, '1h'), port: PORTS.echo, for: '1h' }
    await setup.profile('home', { ...profile, host: HOST })
    await connectAtOnce(t, setup, 20)
    t.match(await setup.counters(), { grants: 2, wrong: 0, denied: 0 }, 'one grant for each family')
    for (const family of FAMILIES) {
      const file = join(setup.folder, 'config/knocklib/home.yaml')
      const args = [SERVER[family], String(PORTS.echo), '--profile', file]
      // It knows of no grant, and the token of this period is used up: the door is open by the
      // first one.
      t.same(await echo(setup, ...args), DONE)
    }
    const left = setup.left()
    t.same(
      left.filter((name) => !/^[0-9a-f]{32}\.(next|note)$/.test(name)),
      [],
      left.join(' '),
    )
  })
})

t.test('no knock is sent while a grant stands', { skip, buffered: true }, async (t) => {
  await withSetup(
    () => specOf(sequence),
    async (setup) => {
      const profile = { ...steps, port: PORTS.echo, host: SERVER[4] }
      await setup.profile('home', { ...profile, for: '1h' })
      // Slow enough that all connections have begun when it is over.
      await setup.profile('short', { ...profile, for: '1s', gap: '2s' })
      t.same(await echo(setup, 'home'), DONE)
      const first = await setup.counters()
      t.same(await echo(setup, 'home'), DONE)
      t.same(await setup.counters(), first, 'no further packet was sent')
      await setup.knock.door('home').close(CLIENT[4])
      t.same(await echo(setup, 'home'), DONE, 'a connection knocks again if the grant is gone')
      t.equal((await setup.counters()).grants, 2)
      await connectAtOnce(t, setup, 4, 'short')
      const { grants, knocks } = await setup.counters()
      t.same(
        { grants, knocks },
        { grants: 3, knocks: first.knocks * 3 },
        'one knock serves all four connections',
      )
      t.same(await echo(setup, 'short'), DONE)
      const last = await setup.counters()
      t.equal(last.knocks, first.knocks * 4, 'an expired grant leads to another knock')
    },
  )
})

t.test('a killed knock is taken over', { skip, buffered: true }, async (t) => {
  await withSetup(
    () => specOf(sequence),
    async (setup) => {
      const profile = { ...steps, port: PORTS.echo, host: SERVER[6], for: '1h' }
      for (const signal of ['SIGKILL', 'SIGINT'] as const) {
        await setup.forget()
        await setup.profile('home', { ...profile, gap: '60s' })
        const before = await setup.counters()
        const knocking = setup.start('knocklib', 'connect', 'home')
        while ((await setup.counters()).knocks === before.knocks);
        await setup.profile('home', profile)
        const waiting = [echo(setup, 'home'), echo(setup, 'home')]
        // They have come to the socket of the first when they sleep in it.
        while (!(await isWaitedFor(setup))) {}
        knocking.kill(signal)
        t.equal((await once(knocking, 'close'))[1], signal)
        for (const end of await Promise.all(waiting)) t.same(end, DONE, signal)
      }
      t.equal((await setup.counters()).grants, 2, 'one grant after each kill')
    },
  )
})

/** Whether two connections to a socket of the folder stand. */
async function isWaitedFor({ folder, pair }: ClientSetup): Promise<boolean> {
  const { stdout: sockets } = await exec(pair.client, 'cat', ['/proc/net/unix'])
  const path = join(folder, 'run/knocklib/')
  // State 03 is connected: the ends of those who wait at the socket.
  return (
    sockets.split('\n').filter((line) => / 03 +\d+ /.test(line) && line.includes(path)).length >= 2
  )
}

t.test('a failure is reported to all waiting connections', { skip, buffered: true }, async (t) => {
  await withSetup(
    () => specOf(sequence),
    async (setup) => {
      const wrong = { steps: ['udp/7000', 'udp/7999'], gap: '300ms' }
      await setup.profile('wrong', { ...wrong, port: PORTS.echo, host: SERVER[4] })
      const ends = await Promise.all(Array.from({ length: 3 }, () => echo(setup, 'wrong')))
      for (const { code, stdout, stderr } of ends) {
        t.same({ code, stdout }, { code: 6, stdout: '' })
        t.match(stderr, `knocklib connect: ${SERVER[4]} port 2222: filtered: nothing came back`)
      }
      t.equal(ends.filter(({ stderr }) => stderr.includes('after 3 knocks')).length, 1)
      t.equal((await setup.counters()).knocks, 3, 'three knocks were sent, not nine')

      await setup.profile('home', { ...steps, host: SERVER[4], for: '1h' })
      for (const how of ['first', 'while the grant stands']) {
        const { code, stdout, stderr } = await echo(setup, 'home', NOBODY)
        t.same({ code, stdout }, { code: 5, stdout: '' }, how)
        t.match(stderr, 'port 2300: refused: nothing listens there after 1 knock\n')
      }
      const none = await echo(setup, 'home')
      t.match(none, { code: 2, stderr: /port: expected the TCP port of the service/ })
      const what = await echo(setup, 'nosuch')
      t.match(what, { code: 2, stderr: /expected --profile or the name of a profile in .*nosuch/ })
    },
  )
})

t.test('counted connections knock one by one', { skip, buffered: true }, async (t) => {
  await withSetup(
    () => specOf(sequence, { for: '1h', connections: 1 }),
    async (setup) => {
      const profile = { ...steps, port: PORTS.echo, for: '1h', connections: 1 }
      await setup.profile('home', { ...profile, host: SERVER[6] })
      await connectAtOnce(t, setup, 4)
      t.match(await setup.counters(), { grants: 4, denied: 0 })
    },
  )
})

t.test('counted connections send one token a period', { skip, buffered: true }, async (t) => {
  const spec = (folder: string) => specOf(tokenOf(folder, '10s'), { for: '1h', connections: 1 })
  await withSetup(spec, async (setup) => {
    const profile = { ...tokenFor(setup.folder, '10s'), port: PORTS.digest, connections: 1 }
    await setup.profile('home', { ...profile, host: SERVER[4] })
    const { folder: cwd, env } = setup
    // Both are to come in the same period.
    while (Date.now() % 10_000 > 4000) await sleep(100)
    const runs = [1, 2].map(() => {
      const line = `"${process.execPath}" "${CLI}" connect home < /dev/null`
      const size = { columns: 80, rows: 24 }
      return new TerminalRun(setup.pair.client, ['sh', '-c', line], { ...size, cwd, env })
    })
    for (const run of runs) t.equal(await run.end(), 0)
    const said = runs.map(({ output }) => output)
    t.equal((await setup.counters()).grants, 2, said.join('\n'))
    t.equal(said.filter((text) => /waiting \d+ s for the next token/.test(text)).length, 1)
    t.ok(said.every((text) => text.endsWith(`\u001b[K${EMPTY_DIGEST}`) || text === EMPTY_DIGEST))
  })
})

/** SHA-256 of nothing (FIPS 180-4). */
const EMPTY_DIGEST = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
