// docs/start/provision.md: its playbook by Ansible against a real sshd, and the spec of its router
// beside a table like fw4's.
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { createNft, installKnock, type KnockSpec } from '../../lib/index.js'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { apply, createPair, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES, PORT, startService } from '../setups/service-setup.js'
import { SSHD } from '../setups/sshd.js'
import { RemoteHost } from './remote-host.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc', 'ssh', 'ssh-keygen', 'ansible-playbook', SSHD)
if (!skip) {
  sweep()
  build()
}

const PAGE = readFileSync(new URL('../../docs/start/provision.md', import.meta.url), 'utf8')
const block = (mark: string): string => {
  const [, text] = new RegExp(`<!-- ${mark} -->\n\`\`\`\\S+\n(.*?)\`\`\``, 's').exec(PAGE) ?? []
  if (text === undefined) throw new Error(`docs/start/provision.md: no block is marked ${mark}`)
  return text
}

const SPEC = {
  guard: { trusted: ['10.77.0.0/24'] },
  doors: [{ name: 'ssh', service: 'tcp/22', knock: { type: 'sequence', steps: ['tcp/7000'] } }],
}

t.test('the playbook says changed once', { skip }, async (t) => {
  await using host = await RemoteHost.open({ binary: versions[2]?.path })
  const folder = await mkdtemp(join(tmpdir(), 'knl-play-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const write = (name: string, text: string, mode = 0o600) =>
    writeFile(join(folder, name), text, { mode })
  await mkdir(join(folder, 'bin'))
  await write('bin/knocklib', `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, 0o755)
  await write('doors.yaml', JSON.stringify({ ...SPEC, doors: SPEC.doors.map(opened) }))
  await write('doors-playbook.yaml', block('playbook'))
  await write('inventory', `[servers]\nserver ansible_host=${SERVER[4]}\n`)
  const env = {
    ...process.env,
    ANSIBLE_LOCAL_TEMP: join(folder, 'local'),
    ANSIBLE_REMOTE_TEMP: join(folder, 'temp'),
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
    KNOCKLIB_SSH: host.ssh,
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
  }
  for (const changed of [1, 0]) {
    const args = ['-i', 'inventory', 'doors-playbook.yaml']
    const { stdout, stderr } = await exec(host.pair.client, 'ansible-playbook', args, {
      ...{ cwd: folder, env },
    })
    t.match(stdout, new RegExp(`ok=1 +changed=${changed} .*failed=0`), stdout + stderr)
  }
})

const opened = (door: object) => ({ ...door, open: { for: '10m' } })

/** fw4's table as it is with a rule for the service: strangers are dropped, also after ours. */
const FW4 = `table inet fw4 {
  chain input {
    type filter hook input priority filter; policy drop;
    iif lo accept
    ct state established,related accept
    iifname "eth0" jump input_wan
  }
  chain input_wan {
    tcp dport ${PORT} accept
    drop
  }
}`

for (const { version, path } of skip ? [] : versions.slice(0, 2)) {
  t.test(`the router's spec beside fw4, nft ${version}`, async (t) => {
    await using pair = await createPair()
    await using _service = await startService(pair.server)
    await apply(pair.server, FW4, path)
    const spec: KnockSpec = JSON.parse(
      JSON.stringify(parse(block('router')))
        .replace('"wan"', '"eth0"')
        .replace('tcp/22', `tcp/${PORT}`),
    )
    await installKnock(spec, { nft: createNft({ binary: path, netns: pair.server }) })
    for (const family of FAMILIES) {
      const answers = async () => {
        const args = ['-n', '-w1', SERVER[family], String(PORT)]
        return (await exec(pair.client, 'nc', args)).stdout !== ''
      }
      t.equal(await answers(), false, `shut over IPv${family}`)
      const steps = [`-${family}`, '-d', '50', SERVER[family], '7000', '8000:udp', '9000']
      await exec(pair.client, 'knock', steps)
      t.equal(await answers(), true, `open over IPv${family}`)
      // As a reload of fw4 does.
      await apply(pair.server, `table inet fw4\ndelete table inet fw4\n${FW4}`, path)
      t.equal(await answers(), true, 'the grant outlives a reload')
    }
  })
}

t.test('the cloud-config is YAML of the keys that cloud-init knows', async (t) => {
  t.ok(block('cloud-config').startsWith('#cloud-config\n'))
  t.strictSame(Object.keys(parse(block('cloud-config'))), ['packages', 'runcmd'])
})
