// A keeper on nft's fake, with readers and a clock of the test: what it reports, puts back, saves
// and relays.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { inTable, put, sizes } from '../../integration/fixtures/installed.js'
import { FakeReaders, taken } from '../../integration/fixtures/watched.js'
import { renderPrefix } from '../automaton/language/log-prefix.js'
import type { Synchronised } from '../clock/synchronised.js'
import { type KeepEvent, Knock, loadState, validateSpec, type Warning } from '../index.js'
import { DocumentElements } from '../kernel/elements.js'
import { FakeNft } from '../kernel/fake.js'
import { digestDoors } from '../nft/about.js'
import { socketPath } from '../relay/place.js'
import { connectToKeeper, receiveEvents } from '../relay/receiver.js'
import { Installation } from './install.js'
import { keepInstalled } from './keep-installed.js'

const knock = { type: 'sequence', steps: ['tcp/7000', 'tcp/7001'] }
const SSH = { name: 'ssh', service: 'tcp/22', knock, open: { for: '10m' } }
const CALL = { operation: 'test' }
const SOURCE = '10.0.0.1'

interface Given {
  readonly door?: object
  /** Seconds. */
  readonly confirmWithin?: number
  readonly warnings?: readonly Warning[]
  readonly refusal?: Error
  readonly stateFile?: string
  readonly actions?: readonly object[]
  /** Seconds. */
  readonly warnBefore?: number
  readonly synchronised?: () => Promise<Synchronised>
}

/** Installs a table and keeps it. */
async function keep(
  t: Test,
  { door = SSH, confirmWithin, warnings = [], actions = [], ...given }: Given = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'keep-'))
  const clock = new FakeClock()
  const nft = Object.assign(new FakeNft({ now: () => clock.date(), version: '1.1.3' }), {
    netns: '',
  })
  const installation = new Installation(validateSpec({ doors: [door], actions }), nft, { clock })
  await installation.ensure(CALL, { pending: confirmWithin ?? 'ended' })
  const { doors } = installation.automaton
  const handle = new Knock('knock', { doors, doorsDigest: digestDoors({ doors }) }, nft)
  const readers = new FakeReaders()
  readers.refusal = given.refusal
  const events: KeepEvent[] = []
  const stop = new AbortController()
  const { stateFile, warnBefore, synchronised } = given
  const kept = keepInstalled(
    { installation, warnings, own: handle },
    { table: 'knock', nft, elements: new DocumentElements(nft) },
    {
      signal: stop.signal,
      ...(stateFile !== undefined && { stateFile }),
      ...(warnBefore !== undefined && { warnBefore }),
      onEvent: (event) => void events.push(event),
    },
    { shares: readers, folder, ...(synchronised && { synchronised }) },
  )
  t.teardown(async () => {
    stop.abort()
    await kept
    await rm(folder, { recursive: true })
  })
  // Modules are loaded in real time, in which the clock stands.
  while (readers.shares.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const heard = (name: string) => events.filter(({ event }) => event === name)
  /** Lets time pass, a second at a time, until there are so many such events. */
  const until = async (name: string, count = 1) => {
    for (let seconds = 0; heard(name).length < count; seconds += 1) {
      if (seconds > 7200) throw new Error(`no ${name} among ${JSON.stringify(events)}`)
      await clock.pass(1000)
    }
    return heard(name)[count - 1] as KeepEvent & Record<string, unknown>
  }
  const end = async () => {
    stop.abort()
    await kept
  }
  const uninstall = async () => {
    await handle.uninstall()
    const nothing = { shape: false, sets: [], elements: [], more: false }
    const changed = { table: 'knock', event: 'removed' as const, ...nothing }
    for (const { record } of readers.listeners('changes')) record({ changed, at: clock.date() })
  }
  return { clock, end, events, folder, handle, heard, installation, nft, readers, uninstall, until }
}

t.test('a missing table is put back with its grants', async (t) => {
  const kept = await keep(t)
  await kept.until('watching')
  await put(kept.nft, 'grants_ssh_4', SOURCE)
  const logged = renderPrefix('knock', { event: 'granted', door: 'ssh', of: 2 } as never)
  for (const { record } of kept.readers.listeners('log')) {
    record({ logged, at: kept.clock.date(), source: SOURCE })
  }
  await kept.until('granted')
  await kept.uninstall()
  t.match(await kept.until('restored'), { was: 'gone', grants: 1 })
  t.match(await sizes(kept.nft), { grants_ssh_4: 1 })
  await kept.end()
  t.equal(kept.installation.held?.state.grants.length, 1, 'the next keeper knows the grant')
})

t.test(
  'actions are done by the keeper that others hear, and their failures are relayed',
  async (t) => {
    const file = `${t.testdir({})}/acted`
    const script = 'echo "$KNOCK_EVENT $KNOCK_SOURCE" >> "$1"; exit 3'
    const actions = [{ on: ['granted'], run: ['/bin/sh', '-c', script, 'sh', file] }]
    const kept = await keep(t, { actions })
    await kept.until('watching')
    const path = await socketPath('', 'knock', kept.folder)
    let socket: Socket | undefined
    while (!socket) socket = await connectToKeeper(path)
    const received = receiveEvents(socket, new AbortController().signal)
    const logged = renderPrefix('knock', { event: 'granted', door: 'ssh', of: 2 } as never)
    const grant = (source: string) => {
      for (const { record } of kept.readers.listeners('log')) {
        record({ logged, at: kept.clock.date(), source })
      }
    }
    await put(kept.nft, 'grants_ssh_4', SOURCE)
    grant(SOURCE)
    // The program takes real time, in which the clock stands.
    while (kept.heard('action-failed').length === 0) await kept.clock.pass(0)
    t.match(kept.heard('action-failed'), [
      { action: 0, on: 'granted', door: 'ssh', source: SOURCE, reason: 'exit code 3' },
    ])
    t.equal(await readFile(file, 'utf8'), `granted ${SOURCE}\n`)
    t.match((await received.next()).value, { event: 'granted' })
    t.match((await received.next()).value, { event: 'action-failed', door: 'ssh' })
    socket.destroy()
    // Another keeper of the table has taken its place.
    await rm(path)
    await put(kept.nft, 'grants_ssh_4', '10.0.0.9')
    grant('10.0.0.9')
    await kept.until('granted', 2)
    await kept.end()
    t.equal(await readFile(file, 'utf8'), `granted ${SOURCE}\n`)
  },
)

t.test('an altered table is made anew', async (t) => {
  const kept = await keep(t)
  await kept.until('watching')
  const { nftables } = (await kept.nft.list({ table: 'knock' })) as { nftables: object[] }
  const rule = nftables.flatMap((object) => ('rule' in object ? [object.rule] : []))[0] as never
  await kept.nft.apply({ nftables: [{ delete: { rule } }] })
  t.match(await kept.until('restored'), { was: 'altered' })
})

t.test('the state file is written when the state changes', async (t) => {
  const stateFile = `${t.testdir({})}/state.json`
  const kept = await keep(t, { stateFile })
  await kept.until('watching')
  await put(kept.nft, 'grants_ssh_4', SOURCE)
  await kept.clock.pass(3000)
  await kept.end()
  t.match(await loadState(stateFile), { grants: [{ door: 'ssh', source: SOURCE }] })
})

t.test('the warnings of the install are reported first', async (t) => {
  const warning = { id: 'spec-readable', path: '/doors/0', message: 'a reason' }
  const kept = await keep(t, { warnings: [warning] })
  await kept.until('watching')
  t.match(kept.events[0], { event: 'warning', ...warning })
})

t.test('another process gets the events of the table, but not the keeper’s own', async (t) => {
  const kept = await keep(t)
  await kept.until('watching')
  const path = await socketPath('', 'knock', kept.folder)
  let socket: Socket | undefined
  while (!socket) socket = await connectToKeeper(path)
  const received = receiveEvents(socket, new AbortController().signal)
  await kept.uninstall()
  await kept.until('restored')
  t.match((await received.next()).value, { event: 'removed' })
  await kept.end()
  const rest: unknown[] = []
  for await (const event of received) rest.push(event)
  t.notMatch(rest, [{ event: 'restored' }])
})

t.test('an NFLOG group in use is reported, and the table is still kept', async (t) => {
  const kept = await keep(t, { refusal: taken() })
  t.match(await kept.until('failed'), { what: 'events', message: /another has it/ })
  await kept.handle.uninstall()
  t.match(await kept.until('restored'), { was: 'gone' })
  t.equal(kept.heard('watching').length, 0)
})

t.test('an unconfirmed table is put back unconfirmed, until it is confirmed', async (t) => {
  const kept = await keep(t, { confirmWithin: 60 })
  await kept.until('watching')
  await kept.uninstall()
  await kept.until('restored')
  const { expiresIn = 0 } = (await kept.handle.status()).confirm as { expiresIn?: number }
  t.ok(expiresIn > 50 && expiresIn < 60, `${expiresIn} s are left`)
  t.match(kept.heard('unconfirmed')[0], { expiresIn: Number })
  await kept.handle.confirm()
  await kept.clock.pass(2000)
  await kept.uninstall()
  await kept.until('restored', 2)
  t.equal((await kept.handle.status()).confirm, undefined)
})

t.test('a table flushed right after it was confirmed is put back confirmed', async (t) => {
  const kept = await keep(t, { confirmWithin: 60 })
  await kept.until('watching')
  await kept.handle.confirm()
  const parts = { shape: true, sets: [], elements: [], more: false }
  const changed = { table: 'knock', event: 'changed' as const, ...parts }
  for (const { record } of kept.readers.listeners('changes')) {
    record({ changed, at: kept.clock.date() })
  }
  while (kept.heard('installed').length === 0) await kept.clock.pass(0)
  await kept.clock.pass(0)
  await kept.uninstall()
  await kept.until('restored')
  t.equal((await kept.handle.status()).confirm, undefined)
})

t.test('a table that opened to everyone is reported', async (t) => {
  const kept = await keep(t, { confirmWithin: 10 })
  await kept.until('watching')
  t.match(await kept.until('failed'), { what: 'confirm' })
})

t.test('tokens are loaded ahead, and unreadable secrets are reported', async (t) => {
  const secretFile = `${t.testdir({ 'ana.key': 'a secret of sixteen bytes and more' })}/ana.key`
  await chmod(secretFile, 0o600)
  const users = [{ name: 'ana', secretFile }]
  const token = { type: 'token', port: 'udp/6000', period: '30s', horizon: '10m', users }
  const kept = await keep(t, { door: { ...SSH, knock: token } })
  await kept.until('watching')
  const flush = { flush: { set: { ...inTable, name: 'tokens1_ssh_0' } } }
  t.ok(((await sizes(kept.nft))['tokens1_ssh_0'] ?? 0) > 10)
  await kept.clock.pass(120_000)
  t.ok(((await sizes(kept.nft))['tokens1_ssh_0'] ?? 0) > 10)
  await kept.nft.apply({ nftables: [flush] })
  await chmod(secretFile, 0o644)
  const { message } = await kept.until('failed')
  t.match(message, /ana\.key.*nothing is loaded ahead anew$/s)
})

t.test('tokens that may have been used are refused after lost events', async (t) => {
  const secretFile = `${t.testdir({ 'ana.key': 'a secret of sixteen bytes and more' })}/ana.key`
  await chmod(secretFile, 0o600)
  const users = [{ name: 'ana', secretFile }]
  const token = { type: 'token', port: 'udp/6000', period: '30s', horizon: '10m', users }
  const kept = await keep(t, { door: { ...SSH, knock: token }, refusal: taken() })
  await kept.until('failed')
  await kept.handle.uninstall()
  const { what, message } = await kept.until('failed', 2)
  t.equal(what, 'tokens')
  t.match(message, /the \d+ tokens that may have been used by now are refused; later ones open$/)
})

t.test('a handle without a namespace cannot be watched', async (t) => {
  const nft = new FakeNft()
  const installation = new Installation(validateSpec({ doors: [SSH] }), nft, {
    clock: new FakeClock(),
  })
  await installation.ensure(CALL, { pending: 'ended' })
  const { doors } = installation.automaton
  const own = new Knock('knock', { doors, doorsDigest: digestDoors({ doors }) }, nft)
  const place = { table: 'knock', nft, elements: new DocumentElements(nft) }
  const { signal } = new AbortController()
  await t.rejects(keepInstalled({ installation, warnings: [], own }, place, { signal }), {
    code: 'missing-capability',
  })
})

t.test('warnings come before a user ends, and while the clock is not synchronised', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'keep-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const secretFile = join(folder, 'ana')
  await writeFile(secretFile, 'a secret of more than sixteen bytes', { mode: 0o600 })
  const isoIn = (seconds: number) =>
    new Date(new FakeClock().date() + 1000 * seconds).toISOString().replace(/\.\d+Z$/, 'Z')
  const users = [
    { name: 'ana.b@example.org', secretFile, until: isoIn(3600 + 100) },
    { name: 'ben', secretFile: `${secretFile}2`, until: isoIn(200) },
  ]
  await writeFile(`${secretFile}2`, 'another one of more than sixteen bytes', { mode: 0o600 })
  const said: Synchronised[] = [
    ...([{ synchronised: 'unknown' }, { synchronised: 'no', by: 'chronyd' }] as const),
    { synchronised: 'yes', by: 'chronyd' },
  ]
  const kept = await keep(t, {
    door: { ...SSH, knock: { type: 'token', port: 'udp/6000', period: 30, users } },
    warnBefore: 3600,
    synchronised: async () => (said.length > 1 ? said.shift() : said[0]) as Synchronised,
  })
  await kept.until('warning', 6)
  const found = kept.heard('warning').map((event) => {
    const { id, over, message } = event as KeepEvent & Record<string, unknown>
    return [id, over ?? false, /of (\S+) end/.exec(String(message))?.[1]]
  })
  t.same(found, [
    ['user-ends-soon', false, 'ben'],
    ['clock-unsynchronised', false, undefined],
    ['clock-unsynchronised', true, undefined],
    ['user-ends-soon', false, 'ana.b@example.org'],
    ['user-ended', false, 'ben'],
    ['user-ends-soon', true, 'ben'],
  ])
})
