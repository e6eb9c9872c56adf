// The table of `knocklib run`: put back after a flush, changed by a reload, and left open without
// confirmation.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../../machine/namespaces.js'
import { DOOR, knockAt, type RunSetup, withRunSetup } from '../../setups/run-setup.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, setup: RunSetup) => Promise<void>) =>
  withRunSetup(name, skip, body)

test('a flushed ruleset is put back', async (t, setup) => {
  setup.run(['--events', 'restored,watching'])
  await setup.heard('watching')
  await knockAt(setup)
  await sleep(1500)
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  t.match(await setup.heard('restored'), { was: 'gone', grants: 1 })
  t.strictSame(setup.named('granted'), [], 'events that were not selected are not written')
  t.match((await setup.cli('status')).stdout, CLIENT[4])
})

test('SIGHUP reads the spec again, and a wrong spec changes nothing', async (t, setup) => {
  setup.run()
  await setup.heard('watching')
  await knockAt(setup)
  await setup.heard('granted')
  const web = {
    ...DOOR,
    name: 'web',
    service: 'tcp/443',
    knock: { ...DOOR.knock, steps: ['udp/9000'] },
  }
  await setup.write('doors.json', { doors: [{ ...DOOR, open: { for: '20m' } }, web] })
  process.kill(setup.pid, 'SIGHUP')
  t.match(await setup.heard('reloaded'), { table: 'knock', doors: ['ssh', 'web'] })
  await setup.heard('watching', 2)
  const { stdout } = await setup.cli('status')
  t.match(stdout, /^web {2}/m)
  t.match(stdout, CLIENT[4], 'the grant stays')
  await setup.write('doors.json', { doors: [{ ...web, service: 'tcp/0' }] })
  process.kill(setup.pid, 'SIGHUP')
  t.match(await setup.heard('failed'), {
    what: 'reload',
    message: new RegExp(
      '^\\S+/doors\\.json: /doors/0/service: .*; ' +
        'nothing was changed: the spec before still stands$',
    ),
  })
  await setup.write('doors.json', { doors: [web], table: 'other' })
  process.kill(setup.pid, 'SIGHUP')
  t.match(await setup.heard('failed', 2), { message: /expected knock as before, got other/ })
  await setup.heard('watching', 4)
  t.equal(setup.named('reloaded').length, 1)
  t.notOk(await setup.isThere('other'))
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  await setup.heard('restored')
  t.match((await setup.cli('status')).stdout, /^web {2}/m, 'the old spec stays installed')
})

test('a flush right after a reload loses no grant', async (t, setup) => {
  setup.run()
  await setup.heard('watching')
  await setup.cli('open', 'ssh', CLIENT[4], '--for', '5m')
  for (let turn = 1; turn <= 5; turn += 1) {
    process.kill(setup.pid, 'SIGHUP')
    await setup.heard('reloaded', turn)
    await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
    t.match(await setup.heard('restored', turn), { was: 'gone', grants: 1 })
    await setup.heard('watching', turn + 1)
  }
  t.match((await setup.cli('status')).stdout, CLIENT[4])
})

test('run reports an unconfirmed table and its opening, and changes neither', async (t, setup) => {
  setup.run()
  await setup.heard('watching')
  t.equal((await setup.cli('install', setup.file('doors.json'), '--confirm', '3s')).code, 0)
  t.match(await setup.heard('unconfirmed'), { expiresIn: Number })
  t.match(await setup.heard('failed'), { what: 'confirm', message: /OPEN TO EVERYONE/ })
  await sleep(2500)
  t.equal(setup.named('failed').length, 1, 'the opening is reported once')
  t.match(
    (await setup.cli('status')).stdout,
    /open to everyone/,
    'the table stays open to everyone',
  )
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  await setup.heard('restored')
  t.match((await setup.cli('status')).stdout, /open to everyone/)
  t.equal((await setup.cli('install', setup.file('doors.json'), '--confirm', '60s')).code, 0)
  await setup.heard('unconfirmed', 2)
  await setup.write('other.json', { doors: [{ ...DOOR, name: 'web' }] })
  t.equal((await setup.cli('install', setup.file('other.json'))).code, 0)
  await setup.heard('restored', 2)
  t.match((await setup.cli('status')).stdout, /confirmed/, 'the table is still unconfirmed')
  t.equal((await setup.cli('confirm')).code, 0)
  // The flush comes before the table is listed again.
  await sleep(200)
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  await setup.heard('restored', 3)
  t.notMatch((await setup.cli('status')).stdout, /confirmed/)
})
