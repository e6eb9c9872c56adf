// Interfaces and addresses in a spec, at a server with a bridge: a warning exactly if the kernel
// brings no packets to the door.
import t, { type Test } from 'tap'
import { createNft, findWarnings, type KnockSpec } from '../../lib/index.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { atServer, type User } from '../setups/user.js'

const skip = missing('bash')
if (!skip) {
  sweep()
  build()
}

t.jobs = 2

const specOf = (hook: string, interfaces: readonly string[], address?: string) => ({
  hook,
  interfaces,
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      ...(address && { address }),
      knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000'] },
      open: { for: '30s' },
    },
  ],
})

/** A script that puts eth0 into a bridge br0 with the server's addresses and a second name. */
const BRIDGE = `set -e
  for part in iptables ip6tables; do
    sysctl -qw net.bridge.bridge-nf-call-$part=0 2>/dev/null || true
  done
  ip link add br0 type bridge
  ip link set br0 addrgenmode none; ip link set br0 address ${SERVER.mac}; ip link set br0 up
  ip address flush dev eth0; ip link set eth0 master br0; ip link property add dev eth0 altname wan0
  ip address add ${SERVER[4]}/24 dev br0; ip address add ${SERVER[6]}/64 dev br0 nodad
  ip neigh replace ${CLIENT[4]} lladdr ${CLIENT.mac} dev br0
  ip neigh replace ${CLIENT[6]} lladdr ${CLIENT.mac} dev br0`

const SYNS = [SERVER[4], SERVER[6]]
  .map((address) => `timeout 0.3 bash -c ': < /dev/tcp/${address}/22' 2>/dev/null`)
  .join('; ')

async function bridged(t: Test, user: User): Promise<void> {
  t.match(await user.shell(BRIDGE), { code: 0 })
}

/**
 * Installs a spec. Returns what the command writes to stderr, and how many packets of a stranger's
 * two connections the door then denied.
 */
async function judge(t: Test, user: User, spec: object) {
  await user.write('spec.json', spec)
  const installed = await user.try(['install', 'spec.json'])
  t.equal(installed.code, 0, installed.stderr)
  await exec(user.pair.client, 'bash', ['-c', SYNS])
  const status = await user.try(['status', '--json'])
  const { doors, warnings = [] } = JSON.parse(status.stdout)
  await user.try(['uninstall'])
  return { says: installed.stderr, denied: doors[0].counters.denied, warnings }
}

atServer('install warns of a bridge port and of unknown names', skip, async (t, user) => {
  await bridged(t, user)
  const cases: [string, string, RegExp | undefined][] = [
    ['input', 'br0', undefined],
    ['prerouting', 'br0', undefined],
    ['ingress', 'br0', undefined],
    ['ingress', 'eth0', undefined],
    [
      'input',
      'eth0',
      new RegExp(
        '^knocklib install: warning: /interfaces/0: eth0 is a port of the bridge br0: ' +
          'at input .*; write br0\n$',
      ),
    ],
    ['prerouting', 'eth0', /eth0 is a port of the bridge br0/],
    ['input', 'wan0', /wan0 is an alternative name of eth0/],
    ['input', 'rb0', /did you mean br0\?/],
  ]
  for (const [hook, name, warning] of cases) {
    const { says, denied, warnings } = await judge(t, user, specOf(hook, [name]))
    if (warning) t.match(says, warning, `${hook} ${name}`)
    else t.equal(says, '', `${hook} ${name}`)
    // One SYN over each family, perhaps with retransmissions.
    t.equal(denied >= 2, !warning, `${hook} ${name}: denied ${denied}`)
    t.equal(warnings.length, warning ? 1 : 0, 'the status has the same warnings')
  }
})

atServer('--strict, check, JSON and status report the warning', skip, async (t, user) => {
  await bridged(t, user)
  await user.write('port.json', specOf('input', ['eth0']))
  await user.write('bridge.json', specOf('input', ['br0']))
  for (const command of ['install', 'check']) {
    const refused = await user.try([command, 'port.json', '--strict'])
    t.match(refused, {
      code: 2,
      stderr: `knocklib ${command}: port.json: /interfaces/0: eth0 is a port`,
    })
    t.match(await user.try([command, 'bridge.json', '--strict']), { code: 0, stderr: '' })
  }
  const json = JSON.parse((await user.try(['install', 'port.json', '--strict', '--json'])).stdout)
  t.match(json.error, {
    code: 'warned',
    warnings: [{ id: 'interface-enslaved', path: '/interfaces/0' }],
  })
  t.notMatch(await user.serve(t, 'status'), 'warning', 'nothing has changed')
  const checked = JSON.parse((await user.try(['check', 'port.json', '--json'])).stdout)
  t.match(checked, { valid: true, warnings: [{ id: 'interface-enslaved' }] })
  await user.try(['install', 'port.json'])
  t.match(
    await user.serve(t, 'status'),
    /^table inet knock\nwarning: \/interfaces\/0: eth0 is a port/,
  )
  await user.shell('ip link set eth0 nomaster')
  t.notMatch(await user.serve(t, 'status'), 'warning')
  await user.shell('ip link set eth0 name lan0')
  t.match(await user.serve(t, 'status'), 'this host has no interface eth0 now')
})

atServer('install warns of addresses of other hosts', skip, async (t, user) => {
  const warned = async (hook: string, address: string, interfaces = ['eth0']) => {
    await user.write('spec.json', specOf(hook, interfaces, address))
    const { code, stdout } = await user.try(['check', 'spec.json', '--json'])
    t.equal(code, 0)
    return JSON.parse(stdout).warnings.map(
      ({ id, path }: { id: string; path: string }) => `${path} ${id}`,
    )
  }
  for (const [own, other] of [
    [SERVER[4], CLIENT[4]],
    [SERVER[6], CLIENT[6]],
  ] as const) {
    t.strictSame(await warned('input', own), [])
    t.strictSame(await warned('input', other), ['/doors/0/address address-elsewhere'])
    t.strictSame(await warned('prerouting', other), [])
  }
  const switches = 'net.ipv4.conf.all.forwarding net.ipv6.conf.all.forwarding'.split(' ')
  const turn = (value: 0 | 1) =>
    user.shell(`sysctl -qw ${switches.map((name) => `${name}=${value}`).join(' ')}
    sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 || true`)
  await turn(1)
  t.strictSame(await warned('forward', CLIENT[4]), [])
  t.strictSame(await warned('forward', SERVER[6]), ['/doors/0/address address-own'])
  await turn(0)
  t.strictSame(await warned('forward', CLIENT[4]), ['/hook not-forwarding'])
  await bridged(t, user)
  await turn(1)
  const guest = ['/doors/0/address address-bridged']
  t.strictSame(await warned('forward', CLIENT[4], ['br0']), guest)
  t.strictSame(await warned('ingress', CLIENT[6], ['br0']), guest)
  t.strictSame(await warned('ingress', CLIENT[6], ['eth0']), [])
})

atServer('another namespace is read with ip', skip, async (t, user) => {
  await bridged(t, user)
  const nft = createNft({ netns: user.pair.server })
  const spec = specOf('input', ['eth0']) as KnockSpec
  t.match(await findWarnings(spec, { nft }), [{ id: 'interface-enslaved' }])
  t.strictSame(await findWarnings({ ...spec, interfaces: ['br0'] }, { nft }), [])
  const nowhere = createNft({ netns: 'knl-nowhere' })
  t.match(await findWarnings(spec, { nft: nowhere }), [
    { id: 'host-not-seen', path: '/interfaces' },
  ])
  await t.rejects(findWarnings(spec, { nft, strict: true }), {
    name: 'StrictError',
    code: 'warned',
  })
})
