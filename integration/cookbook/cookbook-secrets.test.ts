// docs/start/cookbook/: the recipes with secrets, set up as their pages say and knocked at with the
// pages' own lines.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { Page } from './page.js'
import { PageSetup } from './page-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc', 'openssl', 'ssh', 'nslookup', 'dig')
/** The oldest nft that knows tokens and rotations. */
const nft = versions[1]?.path ?? ''
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

/** Waits until at least `least` seconds of a period are left. */
async function awaitPeriod(period: number, least: number): Promise<void> {
  const left = period - ((Date.now() / 1000) % period)
  if (left < least) await sleep((left + 0.5) * 1000)
}

t.test('the recipe for tokens works', { skip, buffered: true }, async (t) => {
  const page = new Page('tokens')
  await using setup = await PageSetup.open(page, { nft })
  t.match(await setup.server('server: keys'), { code: 0 })
  await setup.install()
  await setup.write('ana.json')
  const nc = page.block('client: nc')
  const knock = nc.replace(/^ssh .*$/m, '')

  await awaitPeriod(30, 15)
  for (const family of FAMILIES) t.ok(await setup.isShut(family), `IPv${family}: shut before`)
  await setup.atClient(knock.replace('knocklib/1 ssh', 'knocklib/1 web'))
  t.ok(await setup.isShut(4), "shut after another door's token")
  t.match(await setup.client('client: nc', 4), { code: 0 }, "Ana's token, over IPv4")
  t.ok(await setup.isShut(4), 'shut after one connection')
  await setup.atClient(knock, 4)
  t.ok(await setup.isShut(4), "Ana's token opens only once")
  await setup.atClient(knock, 6)
  t.ok(await setup.isShut(6), "Ana's used token opens nothing over IPv6")
  t.match(await setup.client('client: bash', 6), { code: 0 }, "Ben's token, over IPv6")

  const unit = page.block('file: knocklib-refill.service')
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? 'false'
  t.match(await setup.run(setup.pair.server, line), { code: 0, stderr: '' }, line)
  await setup.atClient(knock, 4)
  t.ok(await setup.isShut(4), "Ana's used token opens nothing after a refill")
  t.match(page.block('file: knocklib-refill.timer'), 'OnCalendar=')
  await awaitPeriod(30, 30)
  t.match(await setup.client('client: knocklib', 6), { code: 0 }, "Ana's next token")

  await setup.install('spec: dns')
  await awaitPeriod(30, 15)
  for (const family of FAMILIES) t.ok(await setup.isShut(family), `IPv${family}: shut before`)
  t.match(await setup.client('client: nslookup', 4), { code: 0 }, 'Ana asks, over IPv4')
  t.match(await setup.client('client: dig over IPv6', 6), { code: 0 }, 'Ben asks, over IPv6')

  await setup.install('spec: users')
  await awaitPeriod(30, 15)
  await setup.atClient(knock, 4)
  t.ok(await setup.isShut(4), 'Ana comes from elsewhere')
  t.same(page.left, [])
})

t.test('the recipe for rotating sequences works', { skip, buffered: true }, async (t) => {
  const page = new Page('rotating')
  await using setup = await PageSetup.open(page, { nft })
  t.match(await setup.server('server: key'), { code: 0 })
  await setup.write('ssh.json')
  await setup.install('spec', { 'for: 30s': 'for: 10s' })
  await awaitPeriod(3600, 30)
  const play = async (family: 4 | 6) => {
    t.ok(await setup.isShut(family), `IPv${family}: shut before`)
    const lines = page.block('client: knock')
    const knock = lines.replace(/^ssh .*$/m, '')
    await setup.atClient(
      knock.replace('0 1 2 3', '0 1 3 2').replace('ports[step]', 'ports[i++]'),
      family,
    )
    t.ok(await setup.isShut(family), `IPv${family}: shut after the wrong order`)
    await setup.atClient(knock.replace('/ 3600', '/ 3600 - 1'), family)
    t.ok(await setup.isShut(family), `IPv${family}: shut after the sequence of the hour before`)
    for (const mark of page.marks('client: ')) {
      await setup.revoke(family)
      t.match(await setup.client(mark, family), { code: 0 }, `IPv${family}: ${mark}`)
    }
    await sleep(10_000)
    t.ok(await setup.isShut(family), `IPv${family}: shut after its time`)
  }
  await Promise.all(FAMILIES.map(play))
  t.same(page.left, [])
})
