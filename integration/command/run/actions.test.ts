// The actions of `knocklib run`: done once for each event, by one of several processes, and changed
// by a reload.
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { acted, DOOR, knockAt, note, RunSetup, withRunSetup } from '../../setups/run-setup.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, setup: RunSetup) => Promise<void>) =>
  withRunSetup(name, skip, body)

test('an action is done once for each event, by one of two processes', async (t, setup) => {
  const actions = [
    { on: ['granted', 'closed'], doors: ['ssh'], run: note(setup) },
    { on: ['granted'], run: ['/bin/sh', '-c', 'echo no such unit >&2; exit 5'] },
  ]
  await setup.write('doors.json', { doors: [DOOR], actions })
  setup.run()
  await setup.heard('watching')
  const second = new RunSetup(setup.pair, setup.folder)
  t.teardown(() => second.end('SIGKILL'))
  second.run()
  t.match(await second.heard('failed'), { what: 'events' })
  await knockAt(setup)
  await setup.heard('granted')
  await setup.cli('open', 'ssh', CLIENT[6])
  await setup.cli('close', 'ssh', CLIENT[6])
  t.match(await setup.heard('action-failed'), {
    ...{ action: 1, on: 'granted', door: 'ssh', reason: 'exit code 5: no such unit' },
  })
  await until(async () => (await acted(setup)).length >= 3, 'three events')
  const lines = [
    `granted ssh ${CLIENT[4]} knock`,
    `granted ssh ${CLIENT[6]} call`,
    `closed ssh ${CLIENT[6]} call`,
  ]
  t.strictSame(await acted(setup), lines)
  t.equal(await setup.end('SIGTERM'), 0)
  // The other one takes the place of the first.
  await second.heard('watching')
  await until(async () => {
    await setup.cli('open', 'ssh', '192.0.2.1')
    await setup.cli('close', 'ssh', '192.0.2.1')
    return (await acted(setup)).length > 3
  }, 'event at the second')
  t.equal(await second.end('SIGTERM'), 0)
  t.strictSame((await acted(setup)).slice(0, 3), lines)
})

test('a reload changes the actions', async (t, setup) => {
  setup.run()
  await setup.heard('watching')
  await setup.write('doors.json', {
    doors: [DOOR],
    actions: [{ on: ['granted'], run: note(setup) }],
  })
  process.kill(setup.pid, 'SIGHUP')
  await setup.heard('watching', 2)
  await knockAt(setup)
  await until(async () => (await acted(setup)).length === 1, 'action')
  await setup.write('doors.json', {
    doors: [DOOR],
    actions: [{ on: ['grantd'], run: note(setup) }],
  })
  process.kill(setup.pid, 'SIGHUP')
  t.match(await setup.heard('failed'), { what: 'reload', message: /did you mean granted\?/ })
  await setup.heard('watching', 3)
  await setup.cli('open', 'ssh', CLIENT[6])
  await until(async () => (await acted(setup)).length === 2, 'action of the spec before')
  await setup.write('doors.json', { doors: [DOOR], actions: [] })
  process.kill(setup.pid, 'SIGHUP')
  await setup.heard('watching', 4)
  await setup.cli('open', 'ssh', '192.0.2.1')
  await setup.heard('granted', 3)
  t.equal((await acted(setup)).length, 2)
})
