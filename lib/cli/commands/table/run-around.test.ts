// What `run` has around its table: the state's file, metrics, a service manager.
import { readFileSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { FakeProcess, runCommand } from '../../../../integration/fakes/command-line.js'
import { FakeKeeper, FakeRun } from '../../../../integration/fakes/fake-keeper.js'
import { FakeClock } from '../../../../integration/fixtures/fake-clock.js'
import { FakeNft } from '../../../kernel/fake.js'

const knock = { type: 'sequence', steps: ['tcp/7000', 'tcp/7001'] }
const SSH = { name: 'ssh', service: 'tcp/22', knock, open: { for: '10m' } }
const time = '2026-11-21T10:00:00.000Z'
const LISTS = { grants: [], bans: [], tokens: [], sequences: [] }

async function start(t: Test, options: readonly string[], state?: { name: string; text: string }) {
  const folder = t.testdir({ 'a.json': JSON.stringify({ doors: [SSH] }) })
  const file = `${folder}/${state?.name}`
  if (state) {
    await writeFile(file, state.text)
    await chmod(file, 0o600)
  }
  const keeper = new FakeKeeper(t)
  const argv = [`${folder}/a.json`, ...(state ? ['--state', file] : []), ...options]
  const running = new FakeRun(argv, { nft: new FakeNft(), clock: new FakeClock() })
  return { file, keeper, running }
}

t.test('an unreadable state is moved aside, and a new one is saved', async (t) => {
  const { file, keeper, running } = await start(t, [], { name: 'state.json', text: '{' })
  const { what, message } = await running.heard('failed')
  t.equal(what, 'state')
  t.match(message, `\n  the file is kept as ${file}.unreadable`)
  t.equal(await readFile(`${file}.unreadable`, 'utf8'), '{')
  await running.heard('running')
  t.equal(keeper.calls[0]?.stateFile, file)
  t.match(await running.end(), { code: 0 })
})

t.test('an unreadable state that cannot be moved is not replaced', async (t) => {
  // Its new name would be longer than a file's name may be.
  const { file, keeper, running } = await start(t, [], { name: 's'.repeat(250), text: '{' })
  t.match(await running.heard('failed'), { what: 'state', message: /; so nothing is saved$/ })
  await running.heard('running')
  t.equal(keeper.calls[0]?.stateFile, undefined)
  t.match(await running.end(), { code: 1 })
  t.equal(await readFile(file, 'utf8'), '{')
})

t.test('the state of another table stays as it is', async (t) => {
  const text = JSON.stringify({ version: 1, table: 'other', saved: time, ...LISTS })
  const { file, keeper, running } = await start(t, [], { name: 'state.json', text })
  const { message } = await running.heard('failed')
  t.match(message, /the file stays as it is, so nothing is saved$/)
  await running.heard('running')
  t.equal(keeper.calls[0]?.stateFile, undefined)
  t.match(await running.end(), { code: 1 })
  t.equal(await readFile(file, 'utf8'), text)
})

t.test('metrics are served, with the events that were lost', async (t) => {
  const { keeper, running } = await start(t, ['--metrics', '127.0.0.1:0'])
  await running.heard('running')
  const { port } = await running.heard('serving')
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  keeper.report({ time, event: 'overrun', lost: 7 })
  keeper.report({ time, event: 'overrun' })
  t.match(await ask(), /^knocklib_lost_events_total\{.*\} 8$/m)
  t.match(await running.end(), { code: 0 })
  await t.rejects(ask())
})

t.test('an address in use is reported, and run goes on', async (t) => {
  const first = await start(t, ['--metrics', '127.0.0.1:0'])
  const { port } = await first.running.heard('serving')
  const second = await start(t, ['--metrics', `127.0.0.1:${port}`])
  t.match(await second.running.heard('failed'), { what: 'metrics', message: /tried again$/ })
  t.match(await second.running.end(), { code: 0 })
  await first.running.end()
})

t.test('the service manager is notified of readiness, reload and end', async (t) => {
  const folder = t.testdir({
    'a.json': JSON.stringify({ doors: [SSH] }),
    'systemd-notify': '#!/bin/sh\necho "$@" >> "$NOTIFY_SOCKET"\n',
  })
  await chmod(`${folder}/systemd-notify`, 0o755)
  const keeper = new FakeKeeper(t)
  const process = new FakeProcess()
  Object.assign(process.env, { PATH: folder, NOTIFY_SOCKET: `${folder}/said` })
  const around = { nft: new FakeNft(), clock: new FakeClock(), process }
  const ended = runCommand(['run', `${folder}/a.json`], around)
  const until = async (count: number) => {
    while (keeper.calls.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  await until(1)
  keeper.report({ time, event: 'watching' })
  await writeFile(`${folder}/a.json`, '{')
  process.emit('SIGHUP')
  await until(2)
  keeper.report({ time, event: 'failed', what: 'events', message: '' })
  process.emit('SIGTERM')
  await ended
  t.strictSame(readFileSync(`${folder}/said`, 'utf8').trimEnd().split('\n'), [
    'READY=1 STATUS=1 door in table inet knock',
    'RELOADING=1',
    'READY=1 STATUS=1 door in table inet knock; THE RELOAD FAILED, the spec before still stands; ' +
      'what packets do is not reported: another process has the NFLOG group',
    'STOPPING=1',
  ])
})

t.test('a failed notification of the service manager is only logged', async (t) => {
  const folder = t.testdir({ 'a.json': JSON.stringify({ doors: [SSH] }) })
  const keeper = new FakeKeeper(t)
  const process = new FakeProcess()
  Object.assign(process.env, { PATH: folder, NOTIFY_SOCKET: `${folder}/said` })
  const around = { nft: new FakeNft(), clock: new FakeClock(), process }
  const ended = runCommand(['run', `${folder}/a.json`], around)
  while (keeper.calls.length < 1) await new Promise((resolve) => setImmediate(resolve))
  process.emit('SIGTERM')
  const { code, stdout } = await ended
  t.equal(code, 0)
  t.match(stdout, /"event":"failed","what":"notify","message":"systemd-notify: /)
})
