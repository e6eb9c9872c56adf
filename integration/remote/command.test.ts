// The built command with --host: a machine with nft, sshd and no Node is given doors before its own
// ssh, over IPv4 and IPv6.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { exec, listTable, type Output, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { SSHD } from '../setups/sshd.js'
import { RemoteHost } from './remote-host.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'ssh', 'ssh-keygen', SSHD)
if (!skip) {
  sweep()
  build()
}

const PORTS = ['7000', '8000:udp', '9000']
const SPEC = {
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: PORTS.map(stepOf), stepTimeout: '20s' },
      open: { for: '2m' },
    },
  ],
}

function stepOf(port: string): string {
  const [number, protocol = 'tcp'] = port.split(':')
  return `${protocol}/${number}`
}

/** Somebody who administers the machine from another one. */
class Administrator implements AsyncDisposable {
  readonly host: RemoteHost
  readonly folder: string

  private constructor(host: RemoteHost, folder: string) {
    this.host = host
    this.folder = folder
  }

  static async open(binary: string | undefined): Promise<Administrator> {
    const folder = await mkdtemp(join(tmpdir(), 'knl-admin-'))
    await writeFile(join(folder, 'doors.json'), JSON.stringify(SPEC), { mode: 0o600 })
    return new Administrator(await RemoteHost.open({ binary }), folder)
  }

  run(line: string, env: NodeJS.ProcessEnv = {}): Promise<Output> {
    const own = {
      ...process.env,
      KNOCKLIB_SSH: this.host.ssh,
      KNOCKLIB_NFT: '/nonexistent',
      ...env,
    }
    const options = { cwd: this.folder, env: own }
    return exec(this.host.pair.client, process.execPath, [CLI, ...line.split(' ')], options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true })
  }
}

/** Runs a command line that must succeed. */
async function does(t: Test, admin: Administrator, line: string): Promise<string> {
  const { code, stdout, stderr } = await admin.run(line)
  t.equal(code, 0, `${line}: ${stderr}`)
  return stdout
}

t.jobs = 2

for (const { version, path } of skip ? [] : versions) {
  t.test(`doors by ssh, nft ${version}`, { buffered: true }, async (t) => {
    await using admin = await Administrator.open(path)
    const { client, server } = admin.host.pair
    const [first, second] = FAMILIES.map((family) => `--host root@${SERVER[family]}`)
    t.equal((await exec(client, admin.host.ssh, ['root@10.77.0.1', 'node -v'])).code, 127)

    const began = performance.now()
    const installed = await does(t, admin, `install doors.json --confirm 100 ${first}`)
    t.comment(`install by ssh: ${Math.round(performance.now() - began)} ms`)
    t.match(installed, `knocklib confirm --table knock ${first}`)
    t.ok(await listTable(server, 'knock', path), 'the table is there, and not here')
    t.equal(await listTable(client, 'knock', path), undefined)

    const shut = await admin.run(`confirm ${first}`)
    t.equal(shut.code, 1, 'the port of ssh is shut before the knock')
    t.match(
      shut.stderr,
      /^knocklib confirm: root@10\.77\.0\.1: ssh says ".*timed out".*knock first/,
    )

    for (const family of FAMILIES) {
      await exec(client, 'knock', [`-${family}`, '-d', '50', SERVER[family], ...PORTS])
    }
    await does(t, admin, `confirm ${first}`)
    const status = JSON.parse(await does(t, admin, `status --json ${second}`))
    t.same(status.doors[0].grants.map(({ source }: { source: string }) => source).sort(), [
      '10.77.0.2',
      'fd00:77::2',
    ])
    t.notOk(status.confirm, 'it is confirmed')
    await does(t, admin, `open ssh 203.0.113.7 --for 10m ${second}`)
    await does(t, admin, `close ssh 203.0.113.7 ${second}`)
    t.equal((await admin.run(`close ssh 203.0.113.7 ${second}`)).code, 4)
    const again = JSON.parse(await does(t, admin, `install doors.json --json ${second}`))
    t.equal(again.changed, false)
    t.notMatch(await admin.host.asked(), /7000|8000|9000/, 'no step is in an argument')
    await does(t, admin, `uninstall ${second}`)
    t.equal(await listTable(server, 'knock', path), undefined)
  })
}

t.test('a state, metrics and a check by ssh', { skip, buffered: true }, async (t) => {
  await using admin = await Administrator.open(versions[1]?.path)
  const host = `--host ssh://root@[${SERVER[6]}]:22`
  t.match(await does(t, admin, `check doors.json ${host}`), 'nft takes it')
  await writeFile(join(admin.folder, 'doors.json'), JSON.stringify({ ...SPEC, ...TRUSTED }))
  await does(t, admin, `install doors.json ${host}`)
  await does(t, admin, `open ssh 203.0.113.7 ${host}`)
  await does(t, admin, `save state.json ${host}`)
  await does(t, admin, `close ssh 203.0.113.7 ${host}`)
  t.match(await does(t, admin, `restore state.json ${host}`), '1 grants')
  t.match(await does(t, admin, `metrics ${host}`), /knocklib_active_grants\{.*\} 1/)
  t.match((await admin.run(`watch ${host}`)).stderr, /unknown option '--host'/)
  const { stderr } = await admin.run(`status ${host}`, { KNOCKLIB_DEBUG: 'nft' })
  t.match(stderr, /^knocklib nft: ssh ssh:\/\/root@\S+ nft .*: done in /m)
})

const TRUSTED = { guard: { trusted: ['10.77.0.0/24', 'fd00:77::/64'] } }

t.test('what goes wrong says what it was, and ends with its code', { skip }, async (t) => {
  await using admin = await Administrator.open(undefined)
  const { host } = admin
  const fails = async (line: string, code: number, words: RegExp) => {
    const output = await admin.run(line)
    t.equal(output.code, code, `${line}: ${output.stderr}`)
    t.match(output.stderr, words)
    t.notMatch(output.stderr, /^ +at |node:/m)
  }
  await fails('status --host -oProxyCommand=id', 2, /^knocklib status: --host: expected a machine/)
  const place = `--host root@${SERVER[4]}`
  await fails(`status ${place}`, 3, /nft cannot be run.*install the package nftables there/)
  await fails('status --host root@10.77.0.9', 1, /^knocklib status: root@10\.77\.0\.9: ssh says "/)
  const other = host.options.map((word) =>
    word.replace('HostKeyAlias=server', 'HostKeyAlias=other'),
  )
  await host.writeSsh(other)
  await fails(`status ${place}`, 3, /ssh says "Host key verification failed/)
  await host.writeSsh(host.options.filter((word, at, all) => word !== '-i' && all[at - 1] !== '-i'))
  await fails(`status ${place}`, 3, /Permission denied.*see to the key/)
})
