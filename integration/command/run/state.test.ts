// The state file of `knocklib run`: what survives a reboot, and files that cannot be written or
// read.
import { chmod, readFile, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build } from '../../machine/built.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, NFT } from '../../machine/namespaces.js'
import { until } from '../../machine/until.js'
import { atSite, DOOR, knockAt, type Site } from '../../setups/site.js'

const skip = missing('knock', 'nc')
build()

t.jobs = 2

const test = (name: string, body: (t: Test, site: Site) => Promise<void>) =>
  atSite(name, skip, body)

test('what was known outlives a reboot', async (t, site) => {
  const file = site.file('state.json')
  site.run(['--state', file])
  await site.heard('watching')
  await knockAt(site)
  await site.heard('granted')
  await until(
    async () => (await readFile(file, 'utf8').catch(() => '')).includes(CLIENT[4]),
    'file',
  )
  t.equal((await stat(file)).mode & 0o777, 0o600)
  // SIGKILL leaves no time to write, like a power failure.
  t.equal(await site.end('SIGKILL'), 'SIGKILL')
  await exec(site.pair.server, NFT, ['flush', 'ruleset'])
  site.run(['--state', file])
  await site.heard('watching')
  t.match((await site.cli('status')).stdout, CLIENT[4])
  t.equal(await site.end('SIGTERM'), 0)
})

test('a state that cannot be written is reported, and by the exit code', async (t, site) => {
  site.run(['--state', '/nonexistent/folder/state.json'])
  const { message, what } = await site.heard('failed')
  t.equal(what, 'save')
  t.match(message, /state\.json: .*: there is no directory \/nonexistent\/folder$/)
  await site.heard('watching')
  await knockAt(site)
  await site.heard('granted')
  await sleep(1500)
  t.equal(site.named('failed').length, 1, 'once')
  t.equal(await site.end('SIGTERM'), 1)
  t.equal(site.named('stopped').length, 1)
  const saved = await site.cli('save', '/nonexistent/folder/state.json')
  t.equal(saved.code, 2)
  t.match(saved.stderr, /there is no directory \/nonexistent\/folder\n$/)
})

test('a state that cannot be read is kept, and no service is without its door', async (t, site) => {
  await site.write('state.json', { nothing: 1 })
  await chmod(site.file('state.json'), 0o600)
  site.run(['--state', site.file('state.json')])
  t.match(await site.heard('failed'), {
    what: 'state',
    message:
      /\/nothing: expected no such key(.|\n)* the file is kept as \S+state\.json\.unreadable$/,
  })
  await site.heard('watching')
  t.ok(await site.isThere())
  await site.end('SIGTERM')
  t.equal(await readFile(site.file('state.json.unreadable'), 'utf8'), '{"nothing":1}')
  t.match(await readFile(site.file('state.json'), 'utf8'), '"grants": []')
  const knock = { type: 'sequence', oneTime: [['tcp/7000']] }
  await site.write('doors.json', { doors: [{ ...DOOR, knock }] })
  site.run(['--state', site.file('doors.json')])
  t.equal(await site.end('SIGCONT'), 2, 'where something works once it would work once more')
  t.match(site.stderr, /nothing was installed or changed: (.|\n)*restore the file, or move it away/)
})
