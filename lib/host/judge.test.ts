// Specs on hosts: which interfaces and doors are warned of, and which are not.
import t from 'tap'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { validateSpec } from '../spec/validate.js'
import type { Host, Interface, Route } from './host.js'
import { addressesOf, judgeDoors } from './judge-doors.js'
import { judgeInterfaces } from './judge-interfaces.js'

const link = (name: string, more: Partial<Interface> = {}): Interface => {
  return { name, alternatives: [], isUp: true, addresses: [], ...more }
}
const at = (name: string, kind: string) => ({ master: { name, kind } })

const host: Host = {
  interfaces: [
    link('lo', { addresses: ['127.0.0.1'] }),
    link('eth0', { alternatives: ['enp1s0', 'wan'], addresses: ['192.0.2.1'] }),
    ...[link('br0', { kind: 'bridge', addresses: ['198.51.100.1'] })],
    ...[link('s0', at('br0', 'bridge')), link('v0', at('br0', 'bridge'))],
    ...[
      link('bond0', { kind: 'bond' }),
      link('p0', at('bond0', 'bond')),
      link('p1', at('bond0', 'bond')),
    ],
    ...[link('vrf7', { kind: 'vrf' }), link('m0', at('vrf7', 'vrf'))],
    ...[link('ovs-system'), link('o0', at('ovs-system', 'openvswitch'))],
    ...[link('trunk'), link('trunk.5', { lower: 'trunk', kind: 'vlan', addresses: ['10.0.5.1'] })],
    ...[link('odd0', { master: { name: 'odd' } }), link('odd')],
  ],
  routes: new Map<string, Route>([
    ['192.0.2.1', { to: 'local' }],
    ['224.0.0.9', { to: 'group' }],
    ['203.0.113.9', { to: 'interface', name: 'eth0' }],
    ['198.51.100.10', { to: 'interface', name: 'br0' }],
    ['2001:db8::10', { to: 'interface', name: 'br0' }],
    ['2001:db8::99', { to: 'nowhere' }],
  ]),
  forwards: { 4: true, 6: false },
  filtersBridges: { 4: false, 6: true },
}

const warned = (hook: 'input' | 'forward' | 'prerouting' | 'ingress', ...interfaces: string[]) =>
  judgeInterfaces({ hook, interfaces }, host).map(({ id, path }) => `${path} ${id}`)

t.test('correct and possible names give no warning', async (t) => {
  t.strictSame(warned('input'), [])
  for (const hook of ['input', 'forward', 'prerouting', 'ingress'] as const) {
    for (const name of ['eth0', 'br0', 'bond0', 'vrf7']) t.strictSame(warned(hook, name), [], name)
  }
  t.strictSame(warned('input', 'trunk.5', 'trunk'), [])
  t.strictSame(warned('forward', 'trunk'), [], 'routed packets may arrive untagged at a trunk')
  t.strictSame(warned('input', 'lo', 'eth0'), [])
  t.strictSame(
    warned('input', 's0', 'br0'),
    [],
    'a bridge port gives no warning if the bridge is named, too',
  )
  t.strictSame(warned('input', 's0', 'br*'), [])
  t.strictSame(warned('input', 'e*'), [])
  t.strictSame(warned('ingress', 's0'), [], 'ingress sees the packets of a bridge port')
  t.strictSame(warned('ingress', 'p0', 'p1'), [])
  for (const hook of ['prerouting', 'ingress'] as const) t.strictSame(warned(hook, 'm0'), [])
})

t.test('names that no packet at the hook can have give a warning', async (t) => {
  for (const hook of ['input', 'forward', 'prerouting'] as const) {
    for (const name of ['s0', 'p0', 'o0', 'odd0', 'p*']) {
      t.strictSame(warned(hook, 'eth0', name), ['/interfaces/1 interface-enslaved'], name)
    }
  }
  t.strictSame(warned('input', 'm0'), ['/interfaces/0 interface-enslaved'])
  t.strictSame(warned('forward', 'm0'), ['/interfaces/0 interface-enslaved'])
  t.strictSame(
    warned('ingress', 'p0'),
    ['/interfaces/0 interface-enslaved'],
    'one interface of a bond gives a warning at ingress',
  )
  t.strictSame(warned('input', 'trunk'), ['/interfaces/0 interface-without-address'])
  for (const name of ['eht0', 'ETH0', 'wlan*', 'nothing']) {
    t.strictSame(warned('input', name), ['/interfaces/0 interface-missing'], name)
  }
  t.strictSame(warned('input', 'wan'), ['/interfaces/0 interface-alternative'])
  t.strictSame(warned('ingress', 'lo'), ['/interfaces only-loopback'])
})

t.test('a warning has the cause and the right name', async (t) => {
  const says = (hook: 'input' | 'forward' | 'ingress', name: string) =>
    judgeInterfaces({ hook, interfaces: [name] }, host)[0]?.message
  t.equal(
    says('input', 's0'),
    's0 is a port of the bridge br0: at input its packets come in as br0; write br0',
  )
  t.match(says('forward', 's0'), /write br0; .* guests .* hook "ingress" at s0/)
  t.match(says('input', 'm0'), 'm0 is a member of the VRF vrf7: ')
  t.match(
    says('input', 'o0'),
    /o0 is a port of Open vSwitch ovs-system, .* write its internal port/,
  )
  t.match(says('input', 'odd0'), 'odd0 is enslaved to odd: ')
  t.match(says('ingress', 'p0'), 'packets from p1 pass unjudged; write bond0')
  t.match(says('input', 'trunk'), /come in as trunk\.5; write trunk\.5/)
  t.match(says('input', 'wan'), /alternative name of eth0.*write eth0/)
  t.match(says('input', 'eht0'), 'did you mean eth0?')
  t.match(says('input', 'ETH0'), 'did you mean eth0?')
  t.match(says('input', 'wlan0'), /it has lo, eth0, br0, s0, v0, bond0, and \d+ more/)
  t.match(says('input', 'wlan*'), 'no interface of this host begins with wlan now')
})

function doors(hook: NonNullable<KnockSpec['hook']>, addresses: string[], interfaces?: string[]) {
  const knock = { type: 'sequence' as const, steps: ['tcp/7000', 'tcp/8000'] }
  const spec = validateSpec({
    hook,
    ...(interfaces && { interfaces }),
    doors: addresses.map((address, index) => {
      return {
        name: `d${index}`,
        service: `tcp/${22 + index}`,
        address,
        knock,
        open: { for: '30s' },
      }
    }),
  })
  return {
    spec,
    on: (seen: Host = host) => judgeDoors(spec, seen).map(({ id, path }) => `${path} ${id}`),
  }
}

t.test('doors that packets can reach give no warning', async (t) => {
  t.strictSame(doors('input', ['192.0.2.1', '224.0.0.9', '10.0.0.0/8']).on(), [])
  t.strictSame(doors('forward', ['203.0.113.9', '198.51.100.10']).on(), [])
  t.strictSame(
    doors('forward', ['198.51.100.10'], ['eth0']).on(),
    [],
    'an address routed to the bridge gives no warning',
  )
  t.strictSame(
    doors('forward', ['2001:db8::10'], ['br0']).on(),
    [],
    'bridged addresses give no warning',
  )
  t.strictSame(doors('ingress', ['198.51.100.10'], ['s0']).on(), [])
  t.strictSame(doors('prerouting', ['203.0.113.9'], ['eth0']).on(), [])
  t.strictSame(
    doors('input', ['203.0.113.99']).on(),
    [],
    'an address without a route lookup gives no warning',
  )
  const { routes, interfaces } = host
  t.strictSame(
    doors('forward', ['203.0.113.9']).on({ routes, interfaces }),
    [],
    'an address without a known route gives no warning',
  )
})

t.test('doors that no packet can reach give a warning', async (t) => {
  const elsewhere = ['/doors/0/address address-elsewhere', '/doors/1/address address-elsewhere']
  t.strictSame(doors('input', ['203.0.113.9', '2001:db8::99']).on(), elsewhere)
  t.strictSame(doors('forward', ['192.0.2.1']).on(), ['/doors/0/address address-own'])
  for (const [hook, names] of [
    ['forward', ['br0']],
    ['prerouting', ['br0', 's0']],
    ['ingress', ['br0']],
  ] as const) {
    const bridged = doors(hook, ['198.51.100.10'], [...names])
    t.strictSame(bridged.on(), ['/doors/0/address address-bridged'], hook)
  }
  t.strictSame(doors('ingress', ['2001:db8::10'], ['br0']).on(), [
    '/doors/0/address address-bridged',
  ])
  const still = { ...host, filtersBridges: { 4: false, 6: false } }
  t.strictSame(doors('forward', ['2001:db8::99']).on(still), ['/hook not-forwarding'])
  t.strictSame(doors('forward', ['203.0.113.9']).on(still), [])
})

t.test('each single address is looked up once', async (t) => {
  const { spec } = doors('input', ['192.0.2.1', '192.0.2.1', '10.0.0.0/8', '2001:db8::1'])
  t.strictSame(addressesOf(spec), ['192.0.2.1', '2001:db8::1'])
})
