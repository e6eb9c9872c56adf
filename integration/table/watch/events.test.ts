// The events of a watcher while packets and calls change the doors and grants expire.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { attachKnock, createNft } from '../../../lib/index.js'
import { CLI } from '../../machine/built.js'
import { apply, CABLE, CLIENT, exec, NFT, SERVER } from '../../machine/namespaces.js'
import { versionsOrSkip } from '../../machine/nft-versions.js'
import { FAMILIES, PORT, ServiceSetup } from '../../setups/service-setup.js'
import { TokenSetup } from '../../setups/token-setup.js'
import { knockAt, OPEN, prepareWatching, specOf, Watching } from '../../setups/watching.js'

const skip = await prepareWatching()
const { versions } = await versionsOrSkip()

const test = (name: string, run: (t: Test) => Promise<void>) =>
  t.test(name, { skip, buffered: true }, run)

t.jobs = 2

for (const hook of ['input', 'prerouting', 'ingress'] as const) {
  test(`each event of packets is reported, hook ${hook}`, async (t) => {
    // On a loaded machine the SYN may be retransmitted.
    const isKnock = (short: string) => !short.startsWith('denied')
    const ban = { after: 2, within: '1m', for: '1m' }
    const interfaces = hook !== 'input' ? { interfaces: [CABLE] } : {}
    const steps = ['udp/7000', 'tcp/7001', 'udp/7002']
    const knock = { type: 'sequence', steps, stepTimeout: '20s' } as const
    const spec = specOf({ hook, ...interfaces, guard: { ban } })
    const doors = spec.doors.map((door) => ({ ...door, knock }))
    await using setup = await ServiceSetup.open({ ...spec, doors })
    await using watching = await Watching.begin(setup.knock)
    for (const family of FAMILIES) {
      const who = `service ${CLIENT[family]}`
      await setup.run('nc', `-${family}`, '-z', '-w', '1', SERVER[family], String(PORT))
      t.ok(await watching.until(`denied ${who} service=tcp/${PORT}`), `IPv${family}: denied`)
      watching.take()
      await knockAt(setup, family, ...OPEN, '7002:udp')
      await watching.until('granted')
      await knockAt(setup, family, '9000:udp')
      await watching.until('closed')
      t.same(watching.take().filter(isKnock), [
        `knock ${who} stage=1 of=3`,
        `knock ${who} stage=2 of=3`,
        `granted ${who} by=knock expiresIn=60 stage=3 of=3`,
        `closed ${who} by=knock`,
      ])
      for (const _ of [1, 2]) await knockAt(setup, family, '7000:udp', '7002:udp')
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

test('packets of hping3 are reported', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  await using watching = await Watching.begin(setup.knock)
  await setup.run('hping3', '--udp', '-c', '1', '-p', '7000', SERVER[4])
  await setup.run('hping3', '-S', '-c', '1', '-p', '7001', SERVER[4])
  t.ok(await watching.until('granted service 10.77.0.2'), 'granted')
  t.equal(watching.events.length, 2, 'the events are a step and the grant')
  for (const [index, event] of watching.events.entries()) {
    const late = (watching.times[index] ?? 0) - Date.parse(event.time)
    t.ok(late >= 0 && late < 5000, 'the time of the event is shortly before its arrival')
  }
})

const able = versions.at(-1)
test('tokens are reported with the name of their user', async (t) => {
  const token = { period: 3600, horizon: '3h' }
  await using setup = await TokenSetup.open({ binary: able?.path ?? NFT, token })
  await using watching = await Watching.begin(setup.base.knock)
  for (const family of FAMILIES) {
    await setup.type(family, 3600, 'of somebody who has guessed')
    t.ok(await watching.until(`wrong service ${CLIENT[family]}`), `IPv${family}: wrong`)
  }
  await setup.type(4, 3600)
  t.ok(await watching.until('granted service 10.77.0.2'), 'granted')
  t.match(watching.take().at(-1), /^granted service 10\.77\.0\.2 by=knock .* user=\w+$/)
})

test('grants expire at their own times, and renewed grants later', async (t) => {
  await using setup = await ServiceSetup.open(specOf({}, { for: '2s' }))
  const door = setup.knock.door('service')
  await door.open('10.77.0.9', { for: '3s' })
  await using watching = await Watching.begin(setup.knock)
  t.ok(await watching.until('expired service 10.77.0.9'), 'a grant from before the watch expires')
  watching.take()
  await knockAt(setup, 4, ...OPEN)
  await knockAt(setup, 6, ...OPEN)
  await watching.until(`granted service ${CLIENT[6]}`)
  await sleep(1000)
  await knockAt(setup, 4, ...OPEN)
  for (const family of [6, 4] as const) {
    t.ok(await watching.until(`expired service ${CLIENT[family]}`), `IPv${family}: expired`)
  }
  const of = (source: string, kind: string) =>
    watching.events
      .filter((event) => event.event === kind && 'source' in event && event.source === source)
      .map(({ time }) => Date.parse(time))
  for (const family of FAMILIES) {
    const [last, ends] = [of(CLIENT[family], 'granted').at(-1), of(CLIENT[family], 'expired')]
    t.equal(ends.length, 1, `IPv${family}: the end is reported once`)
    const lasted = (ends[0] ?? 0) - (last ?? 0)
    t.ok(lasted > 1900 && lasted < 3500, `IPv${family}: the grant lasted ${lasted} ms`)
  }
})

test('many grants expire at once', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const elements = Array.from({ length: 500 }, (_, n) => `10.88.${n >> 8}.${n & 255} timeout 2s`)
  const add = `add element inet knock grants_service_4 { ${elements.join(', ')} }\n`
  await using watching = await Watching.begin(setup.knock)
  await apply(setup.pair.server, add)
  const count = (kind: string) => watching.events.filter(({ event }) => event === kind).length
  t.ok(await watching.wait(() => count('expired') === 500, 8000), 'all ends are reported')
  t.equal(count('granted'), 500)
  t.equal(watching.events.length, 1000, 'nothing else is reported')
})

test('calls of other processes are reported', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  await using watching = await Watching.begin(setup.knock)
  const command = (...args: string[]) => exec(server, process.execPath, [CLI, ...args])
  await command('open', 'service', '203.0.113.7', '--for', '30s')
  await command('open', 'service', '203.0.113.7', '--for', '40s')
  await command('close', 'service', '203.0.113.7')
  const other = await attachKnock({ nft: createNft({ binary: NFT, netns: server }) })
  await other.door('service').open('2001:db8::7')
  await apply(server, 'delete element inet knock grants_service_6 { 2001:db8::7 }\n')
  t.ok(await watching.until('closed service 2001:db8::7'), 'the last call is reported')
  t.same(watching.take(), [
    'granted service 203.0.113.7 by=call expiresIn=30',
    'granted service 203.0.113.7 by=call expiresIn=40',
    'closed service 203.0.113.7 by=call',
    'granted service 2001:db8::7 by=call expiresIn=60',
    'closed service 2001:db8::7 by=call',
  ])
})
