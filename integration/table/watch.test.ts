// What a watcher is reported while other people's clients knock, grants run out, tables come and
// go, and readers die.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { attachKnock, createNft, installKnock, type KnockSpec } from '../../lib/index.js'
import type { Family } from '../../lib/spec/model/model.js'
import { build, CLI, LIBRARY } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { apply, CABLE, CLIENT, exec, NFT, SERVER, start, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES, House, PORT } from '../scene/house.js'
import { TokenHouse } from '../scene/token-house.js'
import { groupsIn, processOf, Watching } from '../scene/watching.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc', 'hping3', 'openssl')
if (!skip) {
  sweep()
  build()
}

const specOf = (parts: object = {}, open: object = { for: '60s' }): KnockSpec =>
  ({
    ...parts,
    doors: [
      {
        name: 'service',
        service: `tcp/${PORT}`,
        knock: { type: 'sequence', steps: ['udp/7000', 'tcp/7001'], stepTimeout: '20s' },
        close: { type: 'sequence', steps: ['udp/9000'], stepTimeout: '20s' },
        open,
      },
    ],
  }) as KnockSpec

const test = (name: string, run: (t: Test) => Promise<void>) =>
  t.test(name, { skip, buffered: true }, run)

/**
 * One that stops this process or loads the machine on purpose: whatever runs beside it would be
 * reported too late.
 */
const testAlone = (name: string, run: (t: Test) => Promise<void>) =>
  t.test(name, { skip, buffered: false }, run)

/** Debian's client. */
const knockAt = (house: House, family: Family, ...steps: string[]) =>
  house.run('knock', `-${family}`, '-d', '30', SERVER[family], ...steps)

const OPEN = ['7000:udp', '7001']

t.jobs = 2

for (const hook of ['input', 'prerouting', 'ingress'] as const) {
  test(`all that packets do, hook ${hook}`, async (t) => {
    // On a busy machine the connection is tried a second time.
    const isKnock = (short: string) => !short.startsWith('denied')
    const ban = { after: 2, within: '1m', for: '1m' }
    const interfaces = hook !== 'input' ? { interfaces: [CABLE] } : {}
    const steps = ['udp/7000', 'tcp/7001', 'udp/7002']
    const knock = { type: 'sequence', steps, stepTimeout: '20s' } as const
    const spec = specOf({ hook, ...interfaces, guard: { ban } })
    const doors = spec.doors.map((door) => ({ ...door, knock }))
    await using house = await House.open({ ...spec, doors })
    await using watching = await Watching.begin(house.knock)
    for (const family of FAMILIES) {
      const who = `service ${CLIENT[family]}`
      await house.run('nc', `-${family}`, '-z', '-w', '1', SERVER[family], String(PORT))
      t.ok(await watching.until(`denied ${who} service=tcp/${PORT}`), `IPv${family}: denied`)
      watching.take()
      await knockAt(house, family, ...OPEN, '7002:udp')
      await watching.until('granted')
      await knockAt(house, family, '9000:udp')
      await watching.until('closed')
      t.same(watching.take().filter(isKnock), [
        `knock ${who} stage=1 of=3`,
        `knock ${who} stage=2 of=3`,
        `granted ${who} by=knock expiresIn=60 stage=3 of=3`,
        `closed ${who} by=knock`,
      ])
      for (const _ of [1, 2]) await knockAt(house, family, '7000:udp', '7002:udp')
      t.ok(await watching.until(`banned ${CLIENT[family]}`), `IPv${family}: banned`)
      const [banned, ...others] = watching.take().filter(isKnock).reverse()
      t.match(banned, `banned ${CLIENT[family]}`)
      t.same(others.sort(), [
        `knock ${who} stage=1 of=3`,
        `knock ${who} stage=1 of=3`,
        `reset ${who} stage=1 of=3`,
        ...(others.length > 3 ? [`reset ${who} stage=1 of=3`] : []),
      ])
    }
  })
}

test('SYNs made by hand', async (t) => {
  await using house = await House.open(specOf())
  await using watching = await Watching.begin(house.knock)
  await house.run('hping3', '--udp', '-c', '1', '-p', '7000', SERVER[4])
  await house.run('hping3', '-S', '-c', '1', '-p', '7001', SERVER[4])
  t.ok(await watching.until('granted service 10.77.0.2'), 'granted')
  t.equal(watching.events.length, 2, 'a step and the grant')
  for (const [index, event] of watching.events.entries()) {
    const late = (watching.times[index] ?? 0) - Date.parse(event.time)
    t.ok(late >= 0 && late < 5000, 'it bears the time when it was read')
  }
})

const able = versions.at(-1)
test('tokens, with the name of whose they are', async (t) => {
  const token = { period: 3600, horizon: '3h' }
  await using place = await TokenHouse.open({ binary: able?.path ?? NFT, token })
  await using watching = await Watching.begin(place.house.knock)
  for (const family of FAMILIES) {
    await place.type(family, 3600, 'of somebody who has guessed')
    t.ok(await watching.until(`wrong service ${CLIENT[family]}`), `IPv${family}: wrong`)
  }
  await place.type(4, 3600)
  t.ok(await watching.until('granted service 10.77.0.2'), 'granted')
  t.match(watching.take().at(-1), /^granted service 10\.77\.0\.2 by=knock .* user=\w+$/)
})

test('grants run out by their own clocks, renewed ones later', async (t) => {
  await using house = await House.open(specOf({}, { for: '2s' }))
  const door = house.knock.door('service')
  await door.open('10.77.0.9', { for: '3s' })
  await using watching = await Watching.begin(house.knock)
  t.ok(await watching.until('expired service 10.77.0.9'), 'it was there before')
  watching.take()
  await knockAt(house, 4, ...OPEN)
  await knockAt(house, 6, ...OPEN)
  await watching.until(`granted service ${CLIENT[6]}`)
  await sleep(1000)
  await knockAt(house, 4, ...OPEN)
  for (const family of [6, 4] as const) {
    t.ok(await watching.until(`expired service ${CLIENT[family]}`), `IPv${family}: expired`)
  }
  const of = (source: string, kind: string) =>
    watching.events
      .filter((event) => event.event === kind && 'source' in event && event.source === source)
      .map(({ time }) => Date.parse(time))
  for (const family of FAMILIES) {
    const [last, ends] = [of(CLIENT[family], 'granted').at(-1), of(CLIENT[family], 'expired')]
    t.equal(ends.length, 1, `IPv${family}: once`)
    const lasted = (ends[0] ?? 0) - (last ?? 0)
    t.ok(lasted > 1900 && lasted < 3500, `IPv${family}: ${lasted} ms`)
  }
})

test('many that run out at once', async (t) => {
  await using house = await House.open(specOf())
  const elements = Array.from({ length: 500 }, (_, n) => `10.88.${n >> 8}.${n & 255} timeout 2s`)
  const add = `add element inet knock grants_service_4 { ${elements.join(', ')} }\n`
  await using watching = await Watching.begin(house.knock)
  await apply(house.pair.server, add)
  const count = (kind: string) => watching.events.filter(({ event }) => event === kind).length
  t.ok(await watching.wait(() => count('expired') === 500, 8000), 'all of them')
  t.equal(count('granted'), 500)
  t.equal(watching.events.length, 1000, 'and no more')
})

test('calls of other processes', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
  await using watching = await Watching.begin(house.knock)
  const command = (...args: string[]) => exec(server, process.execPath, [CLI, ...args])
  await command('open', 'service', '203.0.113.7', '--for', '30s')
  await command('open', 'service', '203.0.113.7', '--for', '40s')
  await command('close', 'service', '203.0.113.7')
  const other = await attachKnock({ nft: createNft({ binary: NFT, netns: server }) })
  await other.door('service').open('2001:db8::7')
  await apply(server, 'delete element inet knock grants_service_6 { 2001:db8::7 }\n')
  t.ok(await watching.until('closed service 2001:db8::7'), 'the last of them')
  t.same(watching.take(), [
    'granted service 203.0.113.7 by=call expiresIn=30',
    'granted service 203.0.113.7 by=call expiresIn=40',
    'closed service 203.0.113.7 by=call',
    'granted service 2001:db8::7 by=call expiresIn=60',
    'closed service 2001:db8::7 by=call',
  ])
})

test('several watchers and two tables share one reader', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
  const nft = createNft({ binary: NFT, netns: server })
  const second = specOf({ table: 'second' })
  for (const one of second.doors) Object.assign(one, { service: 'tcp/2223' })
  const other = await installKnock(
    JSON.parse(JSON.stringify(second).replaceAll('7000', '7100').replaceAll('7001', '7101')),
    { nft },
  )
  const stop = new AbortController()
  await using one = await Watching.begin(house.knock)
  await using two = await Watching.begin(house.knock, { signal: stop.signal })
  await using apart = await Watching.begin(other)
  t.equal((await groupsIn(server)).size, 1)
  await knockAt(house, 4, '7000:udp', '7100:udp')
  for (const [who, watching] of Object.entries({ one, two, apart })) {
    t.ok(await watching.until('knock service 10.77.0.2 stage=1'), `${who} is reported`)
  }
  t.same([one.take().length, two.take().length, apart.take().length], [1, 1, 1])
  stop.abort()
  t.same(await two.over(), {}, 'an abort ends it without an error')
  t.same(await two.watcher.next(), { done: true, value: undefined })
  await knockAt(house, 6, '7000:udp')
  t.ok(await one.until(`knock service ${CLIENT[6]}`), 'the other goes on')
})

test('an abort frees the group, and so does leaving the loop', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
  const watcher = house.knock.watch()
  await watcher.ready
  t.equal((await groupsIn(server)).size, 1)
  await watcher.return()
  t.equal((await groupsIn(server)).size, 0)
  t.same(await watcher.next(), { done: true, value: undefined })
  const aborted = house.knock.watch({ signal: AbortSignal.abort() })
  await aborted.ready
  t.same(await aborted.next(), { done: true, value: undefined })
  t.throws(() => house.knock.watch({ queue: 0 }), { code: 'invalid-argument' })
})

test('a process with a watcher alone', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
  const script = (rest: string) => `
    const { attachKnock } = await import(${JSON.stringify(LIBRARY)})
    const watcher = (await attachKnock()).watch()
    await watcher.ready
    console.log('ready')
    ${rest}`
  const argv = (rest: string) => ['--input-type=module', '-e', script(rest)]
  const idle = await exec(server, process.execPath, argv(''))
  t.same(idle, { code: 0, stdout: 'ready\n', stderr: '' }, 'who asks for nothing is not kept')
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
  await knockAt(house, 4, '7000:udp')
  t.same(await ended, [0, null])
  t.same(heard, ['ready', 'knock'], 'who asks waits, and ends when the loop does')
  t.equal((await groupsIn(server)).size, 0, 'no orphan')
})

test('one that is left while the table changes its group', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
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
  t.same(ended, { code: 0, stdout: 'left\n', stderr: '' }, 'it keeps no process')
  t.equal((await groupsIn(server)).size, 0, 'no orphan')
})

/** The command until the first line that it prints of a knock; then it gets a signal. */
async function watchCommand(house: House, args: readonly string[], signal: NodeJS.Signals) {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = start(house.pair.server, process.execPath, [CLI, 'watch', ...args], {
    stdio: [...stdio],
  })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  for (let tries = 0; tries < 50 && !text.includes('\n'); tries += 1) {
    await knockAt(house, 4, '7000:udp')
    await sleep(200)
  }
  child.kill(signal)
  const [code] = await once(child, 'close')
  return { code, lines: text.trimEnd().split('\n') }
}

test('the command: a line for each event, until a signal', async (t) => {
  await using house = await House.open(specOf())
  const piped = await watchCommand(house, [], 'SIGTERM')
  t.equal(piped.code, 0)
  t.match(piped.lines[0], /^20\S+Z {2}knock +service {2}10\.77\.0\.2 {2}1 of 2$/)
  const json = await watchCommand(house, ['--json'], 'SIGINT')
  t.equal(json.code, 0)
  const event = JSON.parse(json.lines[0] ?? '')
  t.same(event, { ...event, event: 'knock', door: 'service', source: CLIENT[4], stage: 1, of: 2 })
  t.same(Object.keys(event), ['time', 'event', 'door', 'source', 'stage', 'of'])
  const none = await exec(house.pair.server, process.execPath, [
    ...[CLI, 'watch', '--json', '--table', 'none'],
  ])
  t.equal(none.code, 4)
  t.match(JSON.parse(none.stdout), { error: { code: 'not-found' } })
  t.equal(none.stdout.trimEnd().split('\n').length, 1, 'who reads lines gets a line')
  t.equal((await groupsIn(house.pair.server)).size, 0)
})

test('who has the group is named', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
  await using _first = await Watching.begin(house.knock)
  const { code, stdout, stderr } = await exec(server, process.execPath, [CLI, 'watch'])
  t.equal(code, 1)
  t.equal(stdout, '')
  const words = `NFLOG group 5: process ${process.pid} \\(.*node .*\\) has it already\n`
  t.match(stderr, new RegExp(words), 'whoever started its reader')
})

test('a table that tells nothing, and one that is gone', async (t) => {
  await using house = await House.open(specOf({ log: false }))
  const silent = { code: 'missing-capability', message: /"log": false/ }
  const watcher = house.knock.watch()
  await t.rejects(watcher.ready, silent)
  await t.rejects(watcher.next(), silent)
  t.same(await watcher.next(), { done: true, value: undefined })
  await house.knock.uninstall()
  await t.rejects(house.knock.watch().next(), { code: 'not-found' })
})

test('the table is made anew meanwhile, and removed', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
  const nft = createNft({ binary: NFT, netns: server })
  await using watching = await Watching.begin(house.knock)
  await installKnock(specOf({}, { for: '2s' }), { nft })
  t.ok(await watching.until('installed'), 'with other times')
  await knockAt(house, 4, ...OPEN)
  t.ok(
    await watching.until(`granted service ${CLIENT[4]} by=knock expiresIn=2`),
    'what is new of it',
  )
  t.ok(await watching.until(`expired service ${CLIENT[4]}`), 'and its end')
  watching.take()

  await installKnock(specOf({ log: { group: 7 } }), { nft })
  t.ok(await watching.until('installed'), 'with another group')
  t.ok(await watching.until('overrun', 20_000), 'what was reported to it before is lost')
  t.same([...(await groupsIn(server)).keys()], [7])
  await knockAt(house, 6, ...OPEN)
  t.ok(await watching.until(`granted service ${CLIENT[6]}`), 'what the other group is reported')
  watching.take()

  await house.knock.uninstall()
  t.ok(await watching.until('removed'), 'removed')
  t.same(watching.take(), ['removed'])
  await installKnock(specOf(), { nft })
  t.ok(await watching.until('overrun', 20_000), 'the first group again')
  t.same(watching.take(), ['installed', 'overrun'])
  await knockAt(house, 4, ...OPEN)
  t.ok(await watching.until(`granted service ${CLIENT[4]}`), 'what the first group is reported')
  watching.take()

  await apply(server, 'flush chain inet knock input\n')
  t.ok(await watching.until('installed'), 'changed by hand')
  await installKnock(specOf({ log: false }), { nft })
  t.match(await watching.over(), { error: { code: 'missing-capability' } })
})

test('a reader that dies is replaced, and the gap is reported', async (t) => {
  await using house = await House.open(specOf())
  const { server } = house.pair
  await using watching = await Watching.begin(house.knock)
  for (const round of [1, 2]) {
    const port = (await groupsIn(server)).get(5) ?? 0
    process.kill(processOf(port), 'SIGKILL')
    t.ok(await watching.until('overrun'), `${round}: reported`)
    const isBack = async () => ![undefined, port].includes((await groupsIn(server)).get(5))
    for (let tries = 0; tries < 100 && !(await isBack()); tries += 1) await sleep(50)
    await knockAt(house, 4, ...OPEN)
    t.ok(await watching.until(`granted service ${CLIENT[4]}`), `${round}: the watch goes on`)
    t.equal(watching.take()[0], 'overrun', 'without a number: nobody knows it')
  }
})

/** SYNs to the service, of which each is denied. */
const flood = (house: House, count: number, pause: number) =>
  house.run('hping3', '-q', '-S', '-p', `${PORT}`, '-i', `u${pause}`, '-c', `${count}`, SERVER[4])

/** Events of packets, and those that are reported to be missing. */
function account({ events }: Watching): { heard: number; lost: number; gaps: number } {
  const overruns = events.filter((event) => event.event === 'overrun')
  return {
    heard: events.filter(({ event }) => event === 'denied').length,
    // Without a number it would not be exact.
    lost: overruns.reduce((sum, { lost = Number.NaN }) => sum + lost, 0),
    gaps: overruns.length,
  }
}

testAlone('a loop that is blocked under a flood loses nothing unreported', async (t) => {
  const log = { rate: 1_000_000, deniedRate: 1_000_000 }
  await using house = await House.open(specOf({ log }))
  await using wide = await Watching.begin(house.knock, { queue: 100_000 })
  await using narrow = await Watching.begin(house.knock, { queue: 100 })
  const flooding = flood(house, 60_000, 40)
  await sleep(200)
  // What a busy caller does: nothing at all is read meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3500)
  await flooding
  const { denied } = await house.counters()
  const sum = (watching: Watching) => account(watching).heard + account(watching).lost
  for (const watching of [wide, narrow]) {
    await watching.wait(() => sum(watching) === denied, 20_000)
    t.equal(sum(watching), denied, JSON.stringify({ denied, ...account(watching) }))
  }
  t.ok(account(narrow).gaps > 0, 'what does not fit into a queue is reported')
  wide.take()
  await knockAt(house, 4, ...OPEN)
  t.ok(await wide.until('granted'), 'and it goes on')
})

testAlone('a flood beyond all measure does not end the process', async (t) => {
  const log = { rate: 1_000_000, deniedRate: 1_000_000 }
  await using house = await House.open(specOf({ log }))
  await using watching = await Watching.begin(house.knock, { queue: 100 })
  const flooding = house.run(
    'timeout',
    '4',
    'hping3',
    '-q',
    '-S',
    '-p',
    `${PORT}`,
    '--flood',
    SERVER[4],
  )
  await sleep(200)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
  await flooding
  t.ok(await watching.until('overrun'), 'the gap is reported')
  await sleep(2000)
  watching.take()
  for (let tries = 0; tries < 10 && !watching.shorts.join().includes('granted'); tries += 1) {
    await knockAt(house, 4, ...OPEN)
    await watching.until('granted', 1000)
  }
  t.ok(await watching.until('granted'), 'it goes on')
})
