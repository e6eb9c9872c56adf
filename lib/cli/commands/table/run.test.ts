// `run` in process, with a keeper that the test plays: what it writes, what signals do, how it
// ends.
import { chmod, writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { runCommand } from '../../../../integration/fakes/command-line.js'
import { FakeKeeper, FakeRun } from '../../../../integration/fakes/fake-keeper.js'
import { FakeClock } from '../../../../integration/fixtures/fake-clock.js'
import type { Actions } from '../../../actions/actions.js'
import { attachKnock, type KeepEvent, type KnockEvent, validateSpec } from '../../../index.js'
import { FakeNft } from '../../../kernel/fake.js'

const knock = { type: 'sequence', steps: ['tcp/7000', 'tcp/7001'] }
const SSH = { name: 'ssh', service: 'tcp/22', knock, open: { for: '10m' } }
const WEB = { ...SSH, name: 'web', service: 'tcp/443' }
const time = '2026-11-21T10:00:00.000Z'
const source = '10.0.0.2'
const GRANTED: KeepEvent = {
  ...{ time, event: 'granted', door: 'ssh', source, by: 'knock', expiresIn: 600 },
}
const KNOCKED = { time, event: 'knock', door: 'ssh', source, stage: 1, of: 2 } as KeepEvent
const WATCHING: KeepEvent = { time, event: 'watching' }
const failed = (what: 'save' | 'events'): KeepEvent => ({
  time,
  event: 'failed',
  what,
  message: '',
})

function start(t: Test, ...options: readonly string[]) {
  const file = `${t.testdir({ 'a.json': JSON.stringify({ doors: [SSH] }) })}/a.json`
  const [nft, clock, keeper] = [new FakeNft(), new FakeClock(), new FakeKeeper(t)]
  const running = new FakeRun([file, ...options], { nft, clock })
  const write = (spec: object) => writeFile(file, JSON.stringify(spec))
  return { file, nft, clock, keeper, running, write }
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  t.test(`${signal} ends run, and the table stays`, async (t) => {
    const { nft, clock, keeper, running } = start(t)
    t.strictSame(await running.heard('running'), {
      ...{ time, event: 'running', table: 'knock', doors: ['ssh'] },
    })
    keeper.report(WATCHING)
    keeper.report(GRANTED)
    keeper.report(KNOCKED)
    t.match(await running.end(signal), { code: 0, stderr: '' })
    const events = running.lines.map(({ event }) => event)
    t.strictSame(events, ['running', 'watching', 'granted', 'stopped'])
    for (const line of running.lines) t.strictSame(Object.keys(line).slice(0, 2), ['time', 'event'])
    t.equal((await attachKnock({ nft })).table, 'knock')
    t.equal(running.process.listenerCount(signal), 0)
    t.strictSame(running.process.ends, [])
    await clock.pass(1000)
    t.strictSame(running.process.ends, ['exit'], 'the process exits even if something still hangs')
  })
}

t.test('--events selects the events that are written', async (t) => {
  for (const [list, expected] of [
    ['all', ['running', 'granted', 'knock', 'stopped']],
    ['knock', ['running', 'knock', 'stopped']],
  ] as const) {
    const { keeper, running } = start(t, '--events', list)
    await running.heard('running')
    keeper.report(GRANTED)
    keeper.report(KNOCKED)
    await running.end()
    t.strictSame(
      running.lines.map(({ event }) => event),
      expected,
    )
  }
})

t.test('wrong options end run before anything is installed', async (t) => {
  for (const [argv, message] of [
    [['--events', 'knock,nothing'], /^knocklib run: --events: expected all, .* got "nothing"\n/],
    [['--metrics', 'localhost:9477'], /^knocklib run: --metrics: expected an address and a port/],
  ] as const) {
    const { nft, running } = start(t, ...argv)
    t.match(await running.ended, { code: 2, stdout: '', stderr: message })
    await t.rejects(attachKnock({ nft }), { code: 'not-found' })
  }
  t.match(await runCommand(['run', '/nosuch.json']), { code: 2, stdout: '' })
})

t.test('SIGHUP reads the spec anew', async (t) => {
  const { nft, keeper, running, write } = start(t)
  await running.heard('running')
  await write({ doors: [SSH, WEB] })
  running.process.emit('SIGHUP')
  t.match(await running.heard('reloaded'), { table: 'knock', doors: ['ssh', 'web'] })
  t.equal(keeper.calls.length, 2)
  t.strictSame(
    (await attachKnock({ nft })).doors.map(({ name }) => name),
    ['ssh', 'web'],
  )
  t.match(await running.end(), { code: 0 })
})

t.test('a reload that fails changes nothing', async (t) => {
  const { file, nft, keeper, running, write } = start(t)
  await running.heard('running')
  await write({ doors: [{ ...SSH, service: 'tcp/0' }] })
  running.process.emit('SIGHUP')
  const wrong = await running.heard('failed')
  t.match(wrong, { what: 'reload', message: /nothing was changed: the spec before still stands$/ })
  t.match(wrong['message'], file)
  await write({ table: 'other', doors: [SSH] })
  running.process.emit('SIGHUP')
  const other = await running.heard('failed', 2)
  t.match(other['message'], /table: expected knock as before, got other; start anew/)
  t.equal(keeper.calls.length, 3, 'run goes on after each failed reload')
  await t.rejects(attachKnock({ nft, table: 'other' }), { code: 'not-found' })
  t.match(await running.end(), { code: 0 })
})

t.test('actions outlive a reload, and have five seconds at the end', async (t) => {
  const { clock, keeper, running, write } = start(t)
  await running.heard('running')
  const actions = keeper.calls[0]?.actions as Actions
  const run = ['/bin/sleep', '60']
  const spec = validateSpec({ doors: [SSH], actions: [{ on: ['granted'], run }] })
  const report = (event: KeepEvent) => keeper.report(event)
  actions.use(spec.actions, { table: 'knock', isOurs: () => true, report })
  for (const last of [1, 2]) actions.take({ ...GRANTED, source: `10.0.0.${last}` } as KnockEvent)
  await write({ doors: [SSH, WEB] })
  running.process.emit('SIGHUP')
  await running.heard('reloaded')
  t.equal(keeper.calls[1]?.actions, actions)
  running.process.emit('SIGTERM')
  await clock.pass(4999)
  t.notMatch(running.lines, [{ event: 'stopped' }])
  await clock.pass(1)
  t.match(await running.heard('action-overrun'), { action: 0, lost: 1 })
  t.match(await running.heard('action-failed'), { door: 'ssh', reason: /the keeper ends$/ })
  t.match(await running.ended, { code: 0 })
})

t.test('a spec that others can write runs no program', async (t) => {
  const { file, nft, running, write } = start(t)
  await running.heard('running')
  await write({ doors: [SSH, WEB], actions: [{ on: ['granted'], run: ['/bin/true'] }] })
  await chmod(file, 0o666)
  running.process.emit('SIGHUP')
  t.match(await running.heard('failed'), { what: 'reload', message: /other users can write it/ })
  t.equal((await attachKnock({ nft })).doors.length, 1)
  await running.end()
})

t.test('a second signal ends run at once', async (t) => {
  const { keeper, running } = start(t)
  await running.heard('running')
  keeper.calls[0]?.signal.addEventListener('abort', () => {
    if (running.process.ends.length === 0) running.process.emit('SIGINT')
  })
  await running.end()
  t.ok(running.process.ends.includes('SIGKILL'))
  t.match(await running.heard('failed'), { what: 'stop', message: /not ended in time/ })
  t.match(await running.heard('stopped'), { table: 'knock' })
})

t.test('run ends after twenty seconds even if the keeper hangs', async (t) => {
  const { clock, keeper, running } = start(t)
  await running.heard('running')
  let go = () => {}
  const { signal } = keeper.calls[0] as { signal: AbortSignal }
  const hang = new Promise<void>((resolve) => {
    go = resolve
  })
  keeper.hold = hang
  running.process.emit('SIGTERM')
  t.equal(signal.aborted, true)
  await clock.pass(19_999)
  t.strictSame(running.process.ends, [])
  await clock.pass(1)
  t.strictSame(running.process.ends, ['SIGKILL'])
  go()
  await running.ended
})

t.test('run ends with 1 if the last save failed', async (t) => {
  const { keeper, running } = start(t, '--state', `${t.testdirName}/state.json`)
  await running.heard('running')
  t.match(keeper.calls[0], { stateFile: /state\.json$/ })
  keeper.report(failed('save'))
  keeper.atEnd = [failed('save')]
  t.match(await running.end(), { code: 1 })
})

t.test('an earlier failed save does not count if the last one succeeds', async (t) => {
  const { keeper, running } = start(t, '--state', `${t.testdirName}/state.json`)
  await running.heard('running')
  keeper.report(failed('save'))
  t.match(await running.end(), { code: 0 })
})
