// The shipped systemd units: systemd finds no fault, and they work with the one capability that
// they keep.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, sweep } from '../machine/namespaces.js'
import { atServer } from '../setups/user.js'

const skip = missing('systemd-analyze', 'setpriv')
if (!skip) {
  sweep()
  build()
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const UNITS = ['knocklib.service', 'knocklib-install.service']
/** The highest allowed exposure of 100 points; below 50 systemd calls a unit OK. */
const EXPOSED = 25

const read = (unit: string): Promise<string> => readFile(`${ROOT}docs/systemd/${unit}`, 'utf8')

for (const unit of UNITS) {
  atServer(`systemd accepts ${unit}`, skip, async (t, user) => {
    const path = `${user.folder}/${unit}`
    // The path of the command on this machine.
    await writeFile(path, (await read(unit)).replaceAll('/usr/bin/knocklib', CLI))
    const analyze = (...args: string[]) => exec(user.pair.server, 'systemd-analyze', args)
    const { code, stderr } = await analyze('verify', '--man=no', path)
    t.same({ code, stderr }, { code: 0, stderr: '' })
    const threshold = [`--threshold=${EXPOSED}`, '--offline=true', '--no-pager']
    const security = await analyze('security', ...threshold, path)
    t.equal(security.code, 0, /Overall.*/.exec(security.stdout)?.[0] ?? security.stderr)
    t.match(security.stdout, /✗ CapabilityBoundingSet=~CAP_NET_ADMIN /)
    t.equal(
      security.stdout.match(/✗ CapabilityBoundingSet=/g)?.length,
      1,
      'the unit has no other capability',
    )
  })
}

t.test('both units have the same hardening, and start before the network', async (t) => {
  const [run = [], install = []] = await Promise.all(
    UNITS.map(async (unit) => (await read(unit)).split('\n')),
  )
  for (const lines of [run, install]) {
    for (const line of [
      'DefaultDependencies=no',
      'Before=sysinit.target network-pre.target',
      'Wants=network-pre.target',
      'After=nftables.service netfilter-persistent.service ufw.service',
      'Restart=on-failure',
      'CapabilityBoundingSet=CAP_NET_ADMIN',
      'AmbientCapabilities=CAP_NET_ADMIN',
      'ProtectSystem=strict',
      'StateDirectoryMode=0700',
      'UMask=0077',
    ]) {
      t.ok(lines.includes(line), line)
    }
    t.notOk(lines.some((line) => line.startsWith('MemoryDenyWriteExecute')))
    // firewalld starts after sysinit.target: systemd would break the cycle by leaving a unit out.
    t.notOk(lines.some((line) => /^After=.*firewalld/.test(line)))
    t.ok(lines.some((line) => line.startsWith('WantedBy=sysinit.target')))
  }
  const hardening = (lines: string[]) =>
    lines.filter((line) =>
      /^(Protect|Private|Restrict|Lock|System|Remove|Keyring|NoNew)/.test(line),
    )
  const differs = (line: string) => line.startsWith('RestrictAddressFamilies')
  t.strictSame(
    hardening(run).filter((line) => !differs(line)),
    hardening(install).filter((line) => !differs(line)),
  )
})

/** A command that leaves only the capabilities that the units leave. */
const ALONE = [
  ...['setpriv', '--bounding-set=-all,+net_admin', '--inh-caps=-all,+net_admin'],
  ...['--ambient-caps=-all,+net_admin', '--no-new-privs'],
]

atServer('CAP_NET_ADMIN is enough', skip, async (t, user) => {
  const succeed = async (...args: string[]) => {
    const { code, stderr } = await user.try(args, { through: ALONE })
    t.same({ code, stderr }, { code: 0, stderr: '' }, args.join(' '))
  }
  await succeed('install', 'doors.json', '--state', 'state.json')
  await succeed('open', 'ssh', CLIENT[4])
  await succeed('save', 'state.json')
  await succeed('uninstall')
  await succeed('install', 'doors.json', '--state', 'state.json')
  await succeed('metrics')
  t.match(await user.serve(t, 'status'), /10\.77\.0\.2/)
  const none = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs']
  const { code, stderr } = await user.try(['install', 'doors.json'], { through: none })
  t.match([code, stderr], [3, /needs CAP_NET_ADMIN/], 'nft fails without CAP_NET_ADMIN')
})

t.test('the package has the units, and all files that README links to', async (t) => {
  const { files } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as { files: string[] }
  const readme = await readFile(`${ROOT}README.md`, 'utf8')
  const links = [...readme.matchAll(/\]\((docs\/[^)#]+)/g)].map(([, target]) => target as string)
  t.ok(links.length > 10)
  for (const file of [...links, 'docs/systemd', 'docs/grafana-dashboard.json'])
    t.ok(
      files.some((name) => file === name || file.startsWith(`${name}/`)),
      file,
    )
})
