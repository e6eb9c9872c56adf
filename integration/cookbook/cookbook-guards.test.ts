// docs/start/cookbook/: the recipes of bans and marks, set up as their pages say and knocked at
// with the pages' own lines.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, sweep } from '../machine/namespaces.js'
import { FAMILIES } from '../setups/service-setup.js'
import { Page } from './page.js'
import { PageSetup } from './page-setup.js'

const skip = missing('knock', 'nc', 'ssh')
if (!skip) {
  sweep()
  build()
}

t.jobs = 4

t.test('the recipe about bans works', { skip, buffered: true }, async (t) => {
  const page = new Page('bans')
  await using setup = await PageSetup.open(page)
  await setup.install('spec', { '10m': '8s' })
  const spoil = (family: 4 | 6) =>
    setup.atClient('for i in 1 2 3; do knock -d 50 server.example 7000 9000; done', family)

  t.ok(await setup.isShut(4), 'shut before')
  t.match(await setup.client('client: knock', 6), { code: 0 }, 'a right knock over IPv6')
  await Promise.all([spoil(4), spoil(6)])
  t.ok(await setup.logsIn(6), 'a grant stays in spite of a ban')
  t.match(await setup.server('server: status'), { code: 0 }, 'status')
  const { bans } = await setup.knock.status()
  t.equal(bans?.length, 2, 'both are banned')
  await setup.atClient('knock -d 100 server.example 7000 8000 9000')
  t.ok(await setup.isShut(4), 'the right knock of a banned source is ignored')
  await sleep(8_000)
  t.match(
    await setup.client('client: knock', 4),
    { code: 0 },
    'the right knock opens after the ban',
  )
  t.same(page.left, [])
})

t.test('the recipe about traps works', { skip, buffered: true }, async (t) => {
  const page = new Page('traps')
  await using setup = await PageSetup.open(page)
  await setup.install('spec')
  t.match(await setup.client('client: knock', 6), { code: 0 }, 'a right knock over IPv6')
  for (const family of [4, 6] as const) {
    await setup.atClient('nc -z -w 1 server.example 23 || true', family)
  }
  t.ok(await setup.logsIn(6), 'a grant stays in spite of a trap')
  t.equal((await setup.knock.status()).bans.length, 2, 'both are banned')
  await setup.atClient('knock -d 100 server.example 7000 8000 9000')
  t.ok(await setup.isShut(4), 'the knock of a banned source is ignored')
  t.match(await setup.server('server: unban'), { code: 0 }, 'unban')
  for (const { source } of await setup.knock.bans()) await setup.knock.unban(source)
  t.match(await setup.client('client: knock', 4), { code: 0 }, 'it opens after the ban')
  t.same(page.left, [])
})

t.test('the recipe about a phone works', { skip, buffered: true }, async (t) => {
  const page = new Page('roaming')
  await using setup = await PageSetup.open(page)
  await setup.install('spec')
  const other: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.5', 6: 'fd00:77::aa:bb:cc:5' }
  await setup.atClient(`ip address add ${other[4]}/24 dev ${CABLE}`)
  await setup.atClient(`ip address add ${other[6]}/64 dev ${CABLE} nodad`)
  for (const family of FAMILIES) {
    t.ok(await setup.isShut(family), `IPv${family}: shut before`)
    t.match(await setup.client('client: knock', family), { code: 0 }, `IPv${family}: the knock`)
    const isOpen = await setup.logsIn(family, 22, '-b', other[family])
    t.equal(isOpen, family === 6, `IPv${family}: from another address`)
    await setup.client('client: close', family)
    t.ok(await setup.isShut(family), `IPv${family}: shut again`)
  }
  t.match(await setup.client('client: knock', 6), { code: 0 })
  const { stdout } = await setup.server('server: close')
  t.match(stdout, 'fd00:77::/64', 'the status has the block')
  t.match(await setup.knock.door('ssh').grants(), [{ source: 'fd00:77::/64' }])
  t.same(page.left, [])
})

t.test('the recipe about marks works', { skip, buffered: true }, async (t) => {
  const page = new Page('marks')
  await using setup = await PageSetup.open(page)
  await setup.install()
  t.match(await setup.server('server: firewall'), { code: 0 })
  const play = async (family: 4 | 6) => {
    t.ok(await setup.isShut(family), `IPv${family}: shut before`)
    t.match(await setup.client('client: knock', family), { code: 0 }, `IPv${family}: the knock`)
    await setup.revoke(family)
    t.ok(await setup.isShut(family), `IPv${family}: shut again`)
    await setup.atClient('knock -d 100 server.example 8000:udp 7000 9000', family)
    t.ok(await setup.isShut(family), `IPv${family}: shut after the wrong order`)
  }
  await Promise.all(FAMILIES.map(play))
  await setup.knock.uninstall()
  for (const family of FAMILIES) {
    t.ok(await setup.isShut(family), `IPv${family}: shut without the table`)
  }
  t.same(page.left, [])
})
