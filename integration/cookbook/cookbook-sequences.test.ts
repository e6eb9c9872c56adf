// docs/start/cookbook/: the recipes of sequences, also of a single step, set up as their pages say
// and knocked at with the pages' own lines.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { parse } from 'yaml'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { exec, sweep } from '../machine/namespaces.js'
import { FAMILIES } from '../setups/service-setup.js'
import { Page } from './page.js'
import { PageSetup } from './page-setup.js'

const skip = missing('knock', 'hping3', 'nc', 'ping', 'ssh', 'telnet')
if (!skip) {
  sweep()
  build()
}

/** Whether a client knows the family: hping3 knows only IPv4. */
const isFor = (family: number, mark: string) => family === 4 || !mark.endsWith('hping3')

t.jobs = 4

t.test('the recipe for opening and closing works', { skip, buffered: true }, async (t) => {
  const page = new Page('open-and-close')
  await using setup = await PageSetup.open(page)
  await setup.install()
  const play = async (family: 4 | 6) => {
    for (const mark of page.marks('client: ').filter((mark) => isFor(family, mark))) {
      t.ok(await setup.isShut(family), `IPv${family}: shut before`)
      t.match(await setup.client(mark, family), { code: 0 }, `IPv${family}: ${mark}`)
      await setup.client('close: knock', family)
    }
    t.ok(await setup.isShut(family), `IPv${family}: shut again`)
    await setup.atClient('knock -d 100 server.example 7000 9000 8000', family)
    t.ok(await setup.isShut(family), `IPv${family}: shut after the wrong order`)
  }
  await Promise.all(FAMILIES.map(play))
  t.same(page.left, [])
})

t.test('the recipe for start and stop works', { skip, buffered: true }, async (t) => {
  const page = new Page('start-and-stop')
  await using setup = await PageSetup.open(page)
  await setup.install()
  const play = async (family: 4 | 6) => {
    t.ok(await setup.isShut(family), `IPv${family}: shut before`)
    await setup.atClient('knock -d 100 server.example 7000:udp 9000:udp 8000:tcp', family)
    t.ok(await setup.isShut(family), `IPv${family}: shut after the wrong order`)
    for (const mark of page.marks('client: ').filter((mark) => isFor(family, mark))) {
      t.match(await setup.client(mark, family), { code: 0 }, `IPv${family}: ${mark}`)
      await setup.revoke(family)
      t.ok(await setup.isShut(family), `IPv${family}: shut without the grant`)
    }
    await setup.atClient('knock -d 100 server.example 7000:udp 8000 9000:udp', family)
    const session = setup.atClient('ssh -n server.example "sleep 12 && echo alive"', family)
    await sleep(10_500)
    t.ok(await setup.isShut(family), `IPv${family}: shut after 10 s`)
    t.match(await session, { code: 0, stdout: 'alive\n' }, `IPv${family}: a session lives on`)
  }
  await Promise.all(FAMILIES.map(play))
  t.same(page.left, [])
})

t.test('the recipe for two sequences works', { skip, buffered: true }, async (t) => {
  const page = new Page('two-sequences')
  const lan = { server: '192.168.1.1', client: '192.168.1.20', other: '10.77.0.3' }
  await using setup = await PageSetup.open(page, { addresses: [`${lan.server}/24`] })
  const { client } = setup.pair
  for (const address of [`${lan.client}/24`, `${lan.other}/24`]) {
    await exec(client, 'ip', ['address', 'add', address, 'dev', 'eth0'])
  }
  const isFree = async () =>
    (await exec(client, 'nc', ['-n', '-z', '-w1', '-s', lan.client, lan.server, '22'])).code === 0
  const isShutToOther = () => setup.isShut(4, 22, '-s', lan.other)

  await setup.install()
  t.ok(await isFree(), 'the LAN needs no knock')
  const forOneself = async (family: 4 | 6) => {
    t.ok(await setup.isShut(family), `IPv${family}: shut before`)
    await setup.atClient('knock -d 100 server.example 64001 64024 64099 64005', family)
    t.ok(await setup.isShut(family), `IPv${family}: shut after the wrong order`)
    for (const mark of page.marks('client: ')) {
      t.match(await setup.client(mark, family), { code: 0 }, `IPv${family}: ${mark}`)
      await setup.revoke(family, 'ssh')
    }
    t.ok(await setup.isShut(family), `IPv${family}: shut again`)
    await setup.client('client: knock', family)
  }
  await Promise.all(FAMILIES.map(forOneself))
  t.ok(await isShutToOther(), 'a knock opens for its own source only')
  const [door] = await setup.knock.door('ssh').grants()
  t.ok(door && door.expiresIn > 170 && door.expiresIn <= 180, 'the grant lasts three minutes')

  await setup.install('spec', { '3m': '10s' })
  // Grants survive another install, but what follows is only about the door for everyone.
  for (const family of FAMILIES) {
    t.notOk(await setup.isShut(family), `IPv${family}: let in still`)
    await setup.revoke(family, 'ssh')
    t.ok(await setup.isShut(family), `IPv${family}: shut, to be let in by everyone's knock alone`)
  }
  t.ok(await isShutToOther(), 'shut to everyone')
  await setup.client('everyone: knock', 6)
  t.ok(await setup.logsIn(4), 'a knock over IPv6 opens for others over IPv4')
  t.notOk(await isShutToOther(), 'the door is open to other addresses, too')
  t.match(await setup.server('server: shut'), { code: 0 })
  t.ok(await isShutToOther(), 'shut to everyone, by hand')
  await setup.client('everyone: knock', 4)
  t.notOk(await isShutToOther(), 'open to everyone again')
  await sleep(10_000)
  t.ok(await isShutToOther(), 'shut to everyone after its time')
  t.ok(await setup.isShut(6), 'the door is shut to the source that knocked again')
  t.ok(await isFree(), 'the LAN still needs no knock')
  t.same(page.left, [])
})

t.test('the recipe for one packet works', { skip, buffered: true }, async (t) => {
  const page = new Page('one-packet')
  await using setup = await PageSetup.open(page)
  await setup.install()
  const play = async (family: 4 | 6) => {
    for (const mark of page.marks('client: ')) {
      t.ok(await setup.isShut(family), `IPv${family}: shut before`)
      t.match(await setup.client(mark, family), { code: 0 }, `IPv${family}: ${mark}`)
      await setup.revoke(family)
    }
    await setup.atClient('ping -c 1 -W 1 -s 999 server.example', family)
    t.ok(await setup.isShut(family), `IPv${family}: shut after another ping`)
    await setup.atClient('nc -z -w 3 server.example 1000', family)
    t.ok(await setup.logsIn(family), `IPv${family}: open for five seconds`)
    await sleep(2_500)
    t.ok(await setup.isShut(family), `IPv${family}: shut after them, however long the knock hung`)
  }
  await Promise.all(FAMILIES.map(play))

  await setup.install('spec: mixed')
  const playMixed = async (family: 4 | 6) => {
    t.ok(await setup.isShut(family), `IPv${family}: shut before`)
    await setup.atClient('nc -z -w 1 server.example 1000; ping -c 1 -W 1 server.example', family)
    t.ok(await setup.isShut(family), `IPv${family}: shut after the wrong order`)
    t.match(
      await setup.client('mixed: bash', family),
      { code: 0 },
      `IPv${family}: all three packets are sent`,
    )
  }
  await Promise.all(FAMILIES.map(playMixed))
  t.same(page.left, [])
})

t.test('the recipe for one-time sequences works', { skip, buffered: true }, async (t) => {
  const page = new Page('one-time')
  await using setup = await PageSetup.open(page)
  await setup.install()
  await setup.write('sequences.txt')
  await setup.write('sequences.json')
  const lists = parse(page.block('spec')).doors[0].knock.oneTime as string[][]
  const lines = lists.map((ports) => `${ports.join(' ').replaceAll('tcp/', '')}\n`)
  t.equal(page.block('file: sequences.txt'), lines.join(''), 'the client has the lists of the spec')
  t.same(
    JSON.parse(page.block('file: sequences.json')).oneTime,
    lists,
    'the profile of the client has the same sequences',
  )

  for (const family of FAMILIES) t.ok(await setup.isShut(family), `IPv${family}: shut before`)
  const reversed = [...(lists[2] as string[])].reverse().join(' ').replaceAll('tcp/', '')
  await setup.atClient(`knock -d 100 server.example ${reversed}`)
  t.ok(await setup.isShut(4), 'shut after the wrong order')
  t.match(await setup.client('client: knocklib', 4), { code: 0 }, 'the first one opens')
  await setup.revoke(4)
  const again = `knock -d 100 server.example ${lines[0]}`
  for (const family of FAMILIES) {
    await setup.atClient(again, family)
    t.ok(await setup.isShut(family), `IPv${family}: the first one is used up`)
  }
  await setup.atClient('sed -i 1d sequences.txt')
  t.match(await setup.client('client: knock', 6), { code: 0 }, 'the second one opens')

  await setup.install('spec', { '30s': '5s' })
  await setup.atClient(again)
  t.ok(await setup.isShut(4), 'the first one stays used up when another spec is installed')
  t.match(await setup.client('client: nc'), { code: 0 }, 'the third one opens')
  await sleep(5_000)
  t.ok(await setup.isShut(4), 'shut again after its time')
  t.equal(readFileSync(join(setup.folder, 'sequences.txt'), 'utf8'), '', 'no line is left')
  t.same(page.left, [])
})
