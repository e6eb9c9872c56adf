// status, metrics, simulate and watch on nft's fake: what they print and end with.
import t from 'tap'
import { FakeProcess, runCommand } from '../../../../integration/fakes/command-line.js'
import { FakeClock } from '../../../../integration/fixtures/fake-clock.js'
import { attachKnock, installKnock, Knock, type KnockEvent, validateSpec } from '../../../index.js'
import { FakeNft } from '../../../kernel/fake.js'
import type { Watcher } from '../../../watch/watcher.js'

const knock = { type: 'sequence', steps: ['tcp/7000', 'tcp/7001'] }
const DOORS = [{ name: 'ssh', service: 'tcp/22', knock, open: { for: '10m' } }]

async function installed(): Promise<FakeNft> {
  const nft = new FakeNft()
  await installKnock(validateSpec({ doors: DOORS }), { nft })
  await (await attachKnock({ nft })).door('ssh').open('203.0.113.7')
  return nft
}

t.test('status prints text, JSON, or the answer for a monitor', async (t) => {
  const nft = await installed()
  const { code, stdout, stderr } = await runCommand(['status'], { nft })
  t.same([code, stderr], [0, ''])
  t.match(stdout, /^table inet knock\n/)
  t.match(stdout, /203\.0\.113\.7/)
  const json = await runCommand(['status', '--json'], { nft })
  t.match(JSON.parse(json.stdout), { doors: [{ grants: [{ source: '203.0.113.7' }] }] })
  const check = await runCommand(['status', '--check'], { nft })
  t.match(check, { code: 0, stdout: 'table inet knock: nothing needs to be done\n' })
  const one = await runCommand(['status', 'ssh', '--json'], { nft })
  t.match(JSON.parse(one.stdout), { doors: { length: 1 } })
  const none = await runCommand(['status', 'ssh', 'web'], { nft })
  t.match(none, { stdout: '', stderr: /no door "web", there is ssh/ })
  t.match(await runCommand(['watch', 'web'], { nft }), { stderr: /no door "web", there is ssh/ })
  const process = new FakeProcess()
  Object.assign(process.stdout, { isTTY: true, columns: 60 })
  const drawn = await runCommand(['status'], { nft, process })
  t.not(drawn.stdout, stdout, 'a terminal gets another output than a pipe')
})

t.test('metrics prints OpenMetrics, or the same in JSON', async (t) => {
  const nft = await installed()
  const { stdout } = await runCommand(['metrics'], { nft })
  t.match(stdout, /^# (HELP|TYPE) .*# EOF\n$/s)
  const json = await runCommand(['metrics', '--json'], { nft })
  t.match(JSON.parse(json.stdout), { table: 'knock', metrics: /# EOF\n$/ })
})

t.test('simulate prints the verdict of each packet, then the status', async (t) => {
  const folder = t.testdir({
    'a.json': JSON.stringify({ doors: DOORS }),
    'trace.txt': '0 10.0.0.2 tcp/7000\n1 10.0.0.2 tcp/7001\n2 10.0.0.2 tcp/22\n',
    'wrong.txt': '0 nobody tcp/7000\n',
  })
  const argv = ['simulate', `${folder}/a.json`, `${folder}/trace.txt`]
  const { code, stdout } = await runCommand(argv)
  t.equal(code, 0)
  const [first, second, third, empty, table] = stdout.split('\n')
  t.match(first, /^ {7}0 {2}10\.0\.0\.2 +tcp\/7000 +drop +knock ssh 1\/2$/)
  t.match(second, /granted ssh/)
  t.match(third, /tcp\/22 +accept/)
  t.same([empty, table], ['', 'table inet knock'])
  const json = await runCommand([...argv, '--json'])
  t.match(JSON.parse(json.stdout), { packets: [{ verdict: 'drop' }, {}, { verdict: 'accept' }] })
  const wrong = await runCommand(['simulate', `${folder}/a.json`, `${folder}/wrong.txt`])
  t.match(wrong, { code: 2, stdout: '', stderr: /^knocklib simulate: / })
})

const EVENT: KnockEvent = {
  ...{ event: 'granted', time: '2026-11-21T10:00:00.000Z', door: 'ssh', source: '10.0.0.2' },
} as KnockEvent

/** Yields the events, and then waits for the signal; says whether it was aborted. */
function watching(t: Pick<typeof import('tap').t, 'intercept' | 'teardown'>, count: number) {
  const seen: { isAborted: boolean; doors?: readonly string[] | undefined } = { isAborted: false }
  const { watch } = Knock.prototype
  t.teardown(() => {
    Knock.prototype.watch = watch
  })
  Knock.prototype.watch = ({ signal, doors } = {}) =>
    (async function* () {
      seen.doors = doors
      for (let number = 0; number < count; number += 1) yield EVENT
      if (!signal?.aborted)
        await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      seen.isAborted = true
    })() as unknown as Watcher
  return seen
}

const turns = async () => {
  await new FakeClock().pass(0)
}

t.test('watch prints a line for each event, until a signal', async (t) => {
  const nft = await installed()
  for (const [flags, line] of [
    [[], /granted +ssh +10\.0\.0\.2|10\.0\.0\.2/],
    [['ssh', '--json'], /^\{"event":"granted".*\}$/],
  ] as const) {
    const seen = watching(t, 2)
    const process = new FakeProcess()
    const running = runCommand(['watch', ...flags], { nft, process })
    while (process.stdout.text.split('\n').length < 3) await turns()
    process.emit('SIGTERM')
    const { code, stdout } = await running
    t.equal(code, 0)
    t.strictSame(seen, { isAborted: true, doors: flags[0] && ['ssh'] })
    const lines = stdout.trimEnd().split('\n')
    t.equal(lines.length, 2)
    for (const each of lines) t.match(each, line)
    t.same([process.listenerCount('SIGTERM'), process.stdout.listenerCount('error')], [0, 0])
  }
})

t.test('watch waits for a slow reader, and ends when the reader is gone', async (t) => {
  const nft = await installed()
  watching(t, 3)
  const process = new FakeProcess()
  process.stdout.takesMore = false
  const running = runCommand(['watch', '--json'], { nft, process })
  const lines = () => process.stdout.text.split('\n').length - 1
  while (lines() < 1) await turns()
  await turns()
  t.equal(lines(), 1, 'the second line waits')
  process.stdout.emit('drain')
  while (lines() < 2) await turns()
  await turns()
  t.equal(lines(), 2)
  process.stdout.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }))
  t.match(await running, { code: 0 })
})

t.test('watch prints an error as a line of JSON if it prints lines', async (t) => {
  const { code, stdout, stderr } = await runCommand(['watch', '--json'])
  t.same([code, stderr], [4, ''])
  t.equal(stdout.trimEnd().split('\n').length, 1)
  t.match(JSON.parse(stdout), { error: { code: 'not-found', message: /^knocklib watch: / } })
  t.match(await runCommand(['watch']), { code: 4, stdout: '', stderr: /^knocklib watch: / })
})

t.test('watch shows the live view on a terminal, until q', async (t) => {
  const nft = await installed()
  const seen = watching(t, 1)
  const process = new FakeProcess()
  Object.assign(process.stdout, { isTTY: true })
  const running = runCommand(['watch', 'ssh'], { nft, process })
  while (!process.stdout.text.includes('knock')) await turns()
  process.stdin.write('q')
  t.match(await running, { code: 0 })
  t.strictSame(seen, { isAborted: true, doors: ['ssh'] })
  t.ok(
    process.stdout.text.includes('\u001b[?1049h') && process.stdout.text.includes('\u001b[?1049l'),
  )
})
