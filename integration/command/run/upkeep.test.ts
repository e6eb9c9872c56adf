// The table of `knocklib run`: put back after a flush, changed by a reload, and left open without
// confirmation.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../../machine/namespaces.js'
import { atSite, DOOR, knockAt, type Site } from '../../setups/site.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, site: Site) => Promise<void>) =>
  atSite(name, skip, body)

test('a flushed ruleset is put back', async (t, site) => {
  site.run(['--events', 'restored,watching'])
  await site.heard('watching')
  await knockAt(site)
  await sleep(1500)
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  t.match(await site.heard('restored'), { was: 'gone', grants: 1 })
  t.strictSame(site.named('granted'), [], 'not asked for')
  t.match((await site.cli('status')).stdout, CLIENT[4])
})

test('SIGHUP reads the spec anew; a wrong one changes nothing', async (t, site) => {
  site.run()
  await site.heard('watching')
  await knockAt(site)
  await site.heard('granted')
  const web = {
    ...DOOR,
    name: 'web',
    service: 'tcp/443',
    knock: { ...DOOR.knock, steps: ['udp/9000'] },
  }
  await site.write('doors.json', { doors: [{ ...DOOR, open: { for: '20m' } }, web] })
  process.kill(site.pid, 'SIGHUP')
  t.match(await site.heard('reloaded'), { table: 'knock', doors: ['ssh', 'web'] })
  await site.heard('watching', 2)
  const { stdout } = await site.cli('status')
  t.match(stdout, /^web {2}/m)
  t.match(stdout, CLIENT[4], 'the grant is kept')
  await site.write('doors.json', { doors: [{ ...web, service: 'tcp/0' }] })
  process.kill(site.pid, 'SIGHUP')
  t.match(await site.heard('failed'), {
    what: 'reload',
    message: new RegExp(
      '^\\S+/doors\\.json: /doors/0/service: .*; ' +
        'nothing was changed: the spec before still stands$',
    ),
  })
  await site.write('doors.json', { doors: [web], table: 'other' })
  process.kill(site.pid, 'SIGHUP')
  t.match(await site.heard('failed', 2), { message: /expected knock as before, got other/ })
  await site.heard('watching', 4)
  t.equal(site.named('reloaded').length, 1)
  t.notOk(await site.isThere('other'))
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  await site.heard('restored')
  t.match((await site.cli('status')).stdout, /^web {2}/m, 'the one before goes on')
})

test('a flush right after a reload takes no grant along', async (t, site) => {
  site.run()
  await site.heard('watching')
  await site.cli('open', 'ssh', CLIENT[4], '--for', '5m')
  for (let turn = 1; turn <= 5; turn += 1) {
    process.kill(site.pid, 'SIGHUP')
    await site.heard('reloaded', turn)
    await exec(site.pair.server, NFT, ['flush', 'ruleset'])
    t.match(await site.heard('restored', turn), { was: 'gone', grants: 1 })
    await site.heard('watching', turn + 1)
  }
  t.match((await site.cli('status')).stdout, CLIENT[4])
})

test('says that a table awaits a confirmation and fell open, and leaves it so', async (t, site) => {
  site.run()
  await site.heard('watching')
  t.equal((await site.cli('install', site.file('doors.json'), '--confirm', '3s')).code, 0)
  t.match(await site.heard('unconfirmed'), { expiresIn: Number })
  t.match(await site.heard('failed'), { what: 'confirm', message: /OPEN TO EVERYONE/ })
  await sleep(2500)
  t.equal(site.named('failed').length, 1, 'once')
  t.match((await site.cli('status')).stdout, /open to everyone/, 'as it was asked for')
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  await site.heard('restored')
  t.match((await site.cli('status')).stdout, /open to everyone/)
  t.equal((await site.cli('install', site.file('doors.json'), '--confirm', '60s')).code, 0)
  await site.heard('unconfirmed', 2)
  await site.write('other.json', { doors: [{ ...DOOR, name: 'web' }] })
  t.equal((await site.cli('install', site.file('other.json'))).code, 0)
  await site.heard('restored', 2)
  t.match((await site.cli('status')).stdout, /confirmed/, 'it still waits')
  t.equal((await site.cli('confirm')).code, 0)
  // The flush comes before the table is listed again.
  await sleep(200)
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  await site.heard('restored', 3)
  t.notMatch((await site.cli('status')).stdout, /confirmed/)
})
