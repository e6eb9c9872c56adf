// The state file of `knocklib run`: what survives a reboot, and files that cannot be written or
// read.
import { chmod, readFile, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { DOOR, knockAt, type RunSetup, withRunSetup } from '../../setups/run-setup.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, setup: RunSetup) => Promise<void>) =>
  withRunSetup(name, skip, body)

test('the state survives a reboot', async (t, setup) => {
  const file = setup.file('state.json')
  setup.run(['--state', file])
  await setup.heard('watching')
  await knockAt(setup)
  await setup.heard('granted')
  await until(
    async () => (await readFile(file, 'utf8').catch(() => '')).includes(CLIENT[4]),
    'file',
  )
  t.equal((await stat(file)).mode & 0o777, 0o600)
  // SIGKILL leaves no time to write, like a power failure.
  t.equal(await setup.end('SIGKILL'), 'SIGKILL')
  await exec(setup.pair.server, NFT, ['flush', 'ruleset'])
  setup.run(['--state', file])
  await setup.heard('watching')
  t.match((await setup.cli('status')).stdout, CLIENT[4])
  t.equal(await setup.end('SIGTERM'), 0)
})

test('a failed write of the state is reported, and sets the exit code', async (t, setup) => {
  setup.run(['--state', '/nonexistent/folder/state.json'])
  const { message, what } = await setup.heard('failed')
  t.equal(what, 'save')
  t.match(message, /state\.json: .*: there is no directory \/nonexistent\/folder$/)
  await setup.heard('watching')
  await knockAt(setup)
  await setup.heard('granted')
  await sleep(1500)
  t.equal(setup.named('failed').length, 1, 'the failure is reported once')
  t.equal(await setup.end('SIGTERM'), 1)
  t.equal(setup.named('stopped').length, 1)
  const saved = await setup.cli('save', '/nonexistent/folder/state.json')
  t.equal(saved.code, 2)
  t.match(saved.stderr, /there is no directory \/nonexistent\/folder\n$/)
})

test('an unreadable state is kept, and the doors are still installed', async (t, setup) => {
  await setup.write('state.json', { nothing: 1 })
  await chmod(setup.file('state.json'), 0o600)
  setup.run(['--state', setup.file('state.json')])
  t.match(await setup.heard('failed'), {
    what: 'state',
    message:
      /\/nothing: expected no such key(.|\n)* the file is kept as \S+state\.json\.unreadable$/,
  })
  await setup.heard('watching')
  t.ok(await setup.isThere())
  await setup.end('SIGTERM')
  t.equal(await readFile(setup.file('state.json.unreadable'), 'utf8'), '{"nothing":1}')
  t.match(await readFile(setup.file('state.json'), 'utf8'), '"grants": []')
  const knock = { type: 'sequence', oneTime: [['tcp/7000']] }
  await setup.write('doors.json', { doors: [{ ...DOOR, knock }] })
  setup.run(['--state', setup.file('doors.json')])
  t.equal(
    await setup.end('SIGCONT'),
    2,
    'run refuses an unreadable state if something works only once',
  )
  t.match(
    setup.stderr,
    /nothing was installed or changed: (.|\n)*restore the file, or move it away/,
  )
})
