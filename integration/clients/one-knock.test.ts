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
import { FAMILIES } from '../setups/house.js'
import { TerminalRun } from '../setups/terminal.js'
import { Caller, HOST, outputOf, PORTS, startServices } from './caller.js'

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

async function atHome(
  spec: (folder: string) => KnockSpec,
  run: (caller: Caller) => Promise<void>,
): Promise<void> {
  // The oldest one knows no tokens.
  await using caller = await Caller.open(spec, { binary: versions[1]?.path })
  await using _services = await startServices(caller.pair.server)
  await run(caller)
}

/** Connects, sends a line and reads it back. */
async function echo(caller: Caller, ...args: readonly string[]) {
  const child = caller.start('knocklib', 'connect', ...args)
  child.stdin?.end('hello')
  return outputOf(child)
}

const DONE = { code: 0, signal: null, stdout: 'hello', stderr: '' }

/** So many at once, all of which get through. */
async function crowd(t: Test, caller: Caller, size: number, name = 'home'): Promise<void> {
  const ends = await Promise.all(Array.from({ length: size }, () => echo(caller, name)))
  for (const end of ends) t.same(end, DONE)
}

t.jobs = 2

t.test('one token for twenty, at both addresses', { skip, buffered: true }, async (t) => {
  const spec = (folder: string) => specOf(tokenOf(folder, '1h'))
  await atHome(spec, async (caller) => {
    const profile = { ...tokenFor(caller.folder, '1h'), port: PORTS.echo, for: '1h' }
    await caller.profile('home', { ...profile, host: HOST })
    await crowd(t, caller, 20)
    t.match(await caller.counters(), { grants: 2, wrong: 0, denied: 0 }, 'one for each family')
    for (const family of FAMILIES) {
      const file = join(caller.folder, 'config/knocklib/home.yaml')
      const args = [SERVER[family], String(PORTS.echo), '--profile', file]
      // It knows of no grant, and the token of this period is used up: the door is open by the
      // first one.
      t.same(await echo(caller, ...args), DONE)
    }
    const left = caller.left()
    t.same(
      left.filter((name) => !/^[0-9a-f]{32}\.(next|note)$/.test(name)),
      [],
      left.join(' '),
    )
  })
})

t.test('none while a grant stands', { skip, buffered: true }, async (t) => {
  await atHome(
    () => specOf(sequence),
    async (caller) => {
      const profile = { ...steps, port: PORTS.echo, host: SERVER[4] }
      await caller.profile('home', { ...profile, for: '1h' })
      // Slow enough that all of a crowd have begun when it is over.
      await caller.profile('short', { ...profile, for: '1s', gap: '2s' })
      t.same(await echo(caller, 'home'), DONE)
      const first = await caller.counters()
      t.same(await echo(caller, 'home'), DONE)
      t.same(await caller.counters(), first, 'no packet more')
      await caller.knock.door('home').close(CLIENT[4])
      t.same(await echo(caller, 'home'), DONE, 'a grant that is gone is knocked for')
      t.equal((await caller.counters()).grants, 2)
      await crowd(t, caller, 4, 'short')
      const { grants, knocks } = await caller.counters()
      t.same({ grants, knocks }, { grants: 3, knocks: first.knocks * 3 }, 'one knock for all four')
      t.same(await echo(caller, 'short'), DONE)
      const last = await caller.counters()
      t.equal(last.knocks, first.knocks * 4, 'its time is over: another knock')
    },
  )
})

t.test('the one that knocks is killed', { skip, buffered: true }, async (t) => {
  await atHome(
    () => specOf(sequence),
    async (caller) => {
      const profile = { ...steps, port: PORTS.echo, host: SERVER[6], for: '1h' }
      for (const signal of ['SIGKILL', 'SIGINT'] as const) {
        await caller.forget()
        await caller.profile('home', { ...profile, gap: '60s' })
        const before = await caller.counters()
        const knocking = caller.start('knocklib', 'connect', 'home')
        while ((await caller.counters()).knocks === before.knocks);
        await caller.profile('home', profile)
        const waiting = [echo(caller, 'home'), echo(caller, 'home')]
        // They have come to the socket of the first when they sleep in it.
        while (!(await isWaitedFor(caller))) {}
        knocking.kill(signal)
        t.equal((await once(knocking, 'close'))[1], signal)
        for (const end of await Promise.all(waiting)) t.same(end, DONE, signal)
      }
      t.equal((await caller.counters()).grants, 2, 'one for each death')
    },
  )
})

/** Whether two connections to a socket of the folder stand. */
async function isWaitedFor({ folder, pair }: Caller): Promise<boolean> {
  const { stdout: sockets } = await exec(pair.client, 'cat', ['/proc/net/unix'])
  const path = join(folder, 'run/knocklib/')
  // State 03 is connected: the ends of those who wait at the socket.
  return (
    sockets.split('\n').filter((line) => / 03 +\d+ /.test(line) && line.includes(path)).length >= 2
  )
}

t.test('a failure is told to all who wait', { skip, buffered: true }, async (t) => {
  await atHome(
    () => specOf(sequence),
    async (caller) => {
      const wrong = { steps: ['udp/7000', 'udp/7999'], gap: '300ms' }
      await caller.profile('wrong', { ...wrong, port: PORTS.echo, host: SERVER[4] })
      const ends = await Promise.all(Array.from({ length: 3 }, () => echo(caller, 'wrong')))
      for (const { code, stdout, stderr } of ends) {
        t.same({ code, stdout }, { code: 6, stdout: '' })
        t.match(stderr, `knocklib connect: ${SERVER[4]} port 2222: filtered: nothing came back`)
      }
      t.equal(ends.filter(({ stderr }) => stderr.includes('after 3 knocks')).length, 1)
      t.equal((await caller.counters()).knocks, 3, 'three knocks, not nine')

      await caller.profile('home', { ...steps, host: SERVER[4], for: '1h' })
      for (const how of ['first', 'while the grant stands']) {
        const { code, stdout, stderr } = await echo(caller, 'home', NOBODY)
        t.same({ code, stdout }, { code: 5, stdout: '' }, how)
        t.match(stderr, 'port 2300: refused: nothing listens there after 1 knock\n')
      }
      const none = await echo(caller, 'home')
      t.match(none, { code: 2, stderr: /port: expected the TCP port of the service/ })
      const what = await echo(caller, 'nosuch')
      t.match(what, { code: 2, stderr: /expected --profile or the name of a profile in .*nosuch/ })
    },
  )
})

t.test('each knocks for itself if connections count', { skip, buffered: true }, async (t) => {
  await atHome(
    () => specOf(sequence, { for: '1h', connections: 1 }),
    async (caller) => {
      const profile = { ...steps, port: PORTS.echo, for: '1h', connections: 1 }
      await caller.profile('home', { ...profile, host: SERVER[6] })
      await crowd(t, caller, 4)
      t.match(await caller.counters(), { grants: 4, denied: 0 })
    },
  )
})

t.test('a token for each, one a period', { skip, buffered: true }, async (t) => {
  const spec = (folder: string) => specOf(tokenOf(folder, '10s'), { for: '1h', connections: 1 })
  await atHome(spec, async (caller) => {
    const profile = { ...tokenFor(caller.folder, '10s'), port: PORTS.digest, connections: 1 }
    await caller.profile('home', { ...profile, host: SERVER[4] })
    const { folder: cwd, env } = caller
    // Both are to come in the same period.
    while (Date.now() % 10_000 > 4000) await sleep(100)
    const runs = [1, 2].map(() => {
      const line = `"${process.execPath}" "${CLI}" connect home < /dev/null`
      const size = { columns: 80, rows: 24 }
      return new TerminalRun(caller.pair.client, ['sh', '-c', line], { ...size, cwd, env })
    })
    for (const run of runs) t.equal(await run.end(), 0)
    const said = runs.map(({ output }) => output)
    t.equal((await caller.counters()).grants, 2, said.join('\n'))
    t.equal(said.filter((text) => /waiting \d+ s for the next token/.test(text)).length, 1)
    t.ok(said.every((text) => text.endsWith(`\u001b[K${EMPTY_DIGEST}`) || text === EMPTY_DIGEST))
  })
})

/** SHA-256 of nothing (FIPS 180-4). */
const EMPTY_DIGEST = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
