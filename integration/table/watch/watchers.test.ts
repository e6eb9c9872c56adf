// Several watchers of one table at once: in one process, in others, and in the command; how each
// ends.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createNft, installKnock } from '../../../lib/index.js'
import { CLI, LIBRARY } from '../../machine/built.js'
import { CLIENT, exec, NFT, start } from '../../machine/namespaces.js'
import { ServiceSetup } from '../../setups/service-setup.js'
import { groupsIn, knockAt, prepareWatching, specOf, Watching } from '../../setups/watching.js'

const skip = await prepareWatching()

const test = (name: string, run: (t: Test) => Promise<void>) =>
  t.test(name, { skip, buffered: true }, run)

t.jobs = 2

test('several watchers and two tables share one reader', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  const nft = createNft({ binary: NFT, netns: server })
  const second = specOf({ table: 'second' })
  for (const one of second.doors) Object.assign(one, { service: 'tcp/2223' })
  const other = await installKnock(
    JSON.parse(JSON.stringify(second).replaceAll('7000', '7100').replaceAll('7001', '7101')),
    { nft },
  )
  const stop = new AbortController()
  await using one = await Watching.begin(setup.knock)
  await using two = await Watching.begin(setup.knock, { signal: stop.signal })
  await using apart = await Watching.begin(other)
  t.equal((await groupsIn(server)).size, 1)
  await knockAt(setup, 4, '7000:udp', '7100:udp')
  for (const [who, watching] of Object.entries({ one, two, apart })) {
    t.ok(await watching.until('knock service 10.77.0.2 stage=1'), `the knock of ${who} is reported`)
  }
  t.same([one.take().length, two.take().length, apart.take().length], [1, 1, 1])
  stop.abort()
  t.same(await two.over(), {}, 'an abort ends it without an error')
  t.same(await two.watcher.next(), { done: true, value: undefined })
  await knockAt(setup, 6, '7000:udp')
  t.ok(await one.until(`knock service ${CLIENT[6]}`), 'the other watcher goes on')
})

test('an abort or the end of the loop frees the log group', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  const watcher = setup.knock.watch()
  await watcher.ready
  t.equal((await groupsIn(server)).size, 1)
  await watcher.return()
  t.equal((await groupsIn(server)).size, 0)
  t.same(await watcher.next(), { done: true, value: undefined })
  const aborted = setup.knock.watch({ signal: AbortSignal.abort() })
  await aborted.ready
  t.same(await aborted.next(), { done: true, value: undefined })
  t.throws(() => setup.knock.watch({ queue: 0 }), { code: 'invalid-argument' })
})

test('a process that waits only for a watcher stays alive', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  const script = (rest: string) => `
    const { attachKnock } = await import(${JSON.stringify(LIBRARY)})
    const watcher = (await attachKnock()).watch()
    await watcher.ready
    console.log('ready')
    ${rest}`
  const argv = (rest: string) => ['--input-type=module', '-e', script(rest)]
  const idle = await exec(server, process.execPath, argv(''))
  t.same(
    idle,
    { code: 0, stdout: 'ready\n', stderr: '' },
    'a watcher that nobody reads keeps no process alive',
  )
  const first = 'for await (const { event } of watcher) { console.log(event); break }'
  const child = start(server, process.execPath, argv(first), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const heard: string[] = []
  lines.on('line', (line) => heard.push(line))
  const ended = once(child, 'close')
  await once(lines, 'line')
  await sleep(300)
  await knockAt(setup, 4, '7000:udp')
  t.same(await ended, [0, null])
  t.same(heard, ['ready', 'knock'], 'a process waits for events, and ends with the loop')
  t.equal((await groupsIn(server)).size, 0, 'no reader process is left')
})

test('a watcher left during a change of the group keeps no process alive', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  const script = `
    const { installKnock } = await import(${JSON.stringify(LIBRARY)})
    const spec = ${JSON.stringify(specOf())}
    const watcher = (await installKnock(spec)).watch()
    await watcher.ready
    setTimeout(() => installKnock({ ...spec, log: { group: 6 } }), 100)
    for await (const { event } of watcher) if (event === 'installed') break
    console.log('left')`
  const argv = ['20', process.execPath, '--input-type=module', '-e', script]
  const ended = await exec(server, 'timeout', argv)
  t.same(ended, { code: 0, stdout: 'left\n', stderr: '' }, 'the process ends')
  t.equal((await groupsIn(server)).size, 0, 'no reader process is left')
})

/** Runs the command until it prints a line about a knock, and then sends it a signal. */
async function watchCommand(setup: ServiceSetup, args: readonly string[], signal: NodeJS.Signals) {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = start(setup.pair.server, process.execPath, [CLI, 'watch', ...args], {
    stdio: [...stdio],
  })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  for (let tries = 0; tries < 50 && !text.includes('\n'); tries += 1) {
    await knockAt(setup, 4, '7000:udp')
    await sleep(200)
  }
  child.kill(signal)
  const [code] = await once(child, 'close')
  return { code, lines: text.trimEnd().split('\n') }
}

test('the command prints a line for each event, until a signal', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const piped = await watchCommand(setup, [], 'SIGTERM')
  t.equal(piped.code, 0)
  t.match(piped.lines[0], /^20\S+Z {2}knock +service {2}10\.77\.0\.2 {2}1 of 2$/)
  const json = await watchCommand(setup, ['--json'], 'SIGINT')
  t.equal(json.code, 0)
  const event = JSON.parse(json.lines[0] ?? '')
  t.same(event, { ...event, event: 'knock', door: 'service', source: CLIENT[4], stage: 1, of: 2 })
  t.same(Object.keys(event), ['time', 'event', 'door', 'source', 'stage', 'of'])
  const none = await exec(setup.pair.server, process.execPath, [
    ...[CLI, 'watch', '--json', '--table', 'none'],
  ])
  t.equal(none.code, 4)
  t.match(JSON.parse(none.stdout), { error: { code: 'not-found' } })
  t.equal(none.stdout.trimEnd().split('\n').length, 1, 'a missing table is reported as one line')
  t.equal((await groupsIn(setup.pair.server)).size, 0)
})

test('the process that has the log group is named', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  await using _first = await Watching.begin(setup.knock)
  const { code, stdout, stderr } = await exec(server, process.execPath, [CLI, 'watch'])
  t.equal(code, 1)
  t.equal(stdout, '')
  const words = `NFLOG group 5: process ${process.pid} \\(.*node .*\\) has it already\n`
  t.match(stderr, new RegExp(words), 'the process is named, whoever started its reader')
})

test('a table without a log and a missing table are reported', async (t) => {
  await using setup = await ServiceSetup.open(specOf({ log: false }))
  const silent = { code: 'missing-capability', message: /"log": false/ }
  const watcher = setup.knock.watch()
  await t.rejects(watcher.ready, silent)
  await t.rejects(watcher.next(), silent)
  t.same(await watcher.next(), { done: true, value: undefined })
  await setup.knock.uninstall()
  await t.rejects(setup.knock.watch().next(), { code: 'not-found' })
})
