// Interfaces and routes as rtnetlink and ip give them, read.
import t from 'tap'
import { renderAttribute, renderMessage } from '../../integration/captures/messages.js'
import { nearest } from '../text/nearest.js'
import { parseIpListing } from './ip-listing.js'
import { askRoute, parseInterfaces, parseRoute } from './link-messages.js'

const text = (value: string) => Buffer.from(`${value}\0`)
const number = (value: number) => new Uint8Array(new Uint32Array([value]).buffer)
const message = (type: number, header: Uint8Array, ...attributes: Uint8Array[]) => {
  const payload = Buffer.concat([header, ...attributes])
  return { type, flags: 2, sequence: 1, port: 0, payload }
}
const link = (index: number, flags: number, ...attributes: Uint8Array[]) =>
  message(
    16,
    Buffer.concat([new Uint8Array(4), number(index), number(flags), number(0)]),
    ...attributes,
  )

t.test('links have kinds, masters, second names and lower links', async (t) => {
  const kind = (name: string) => renderAttribute(18, renderAttribute(1, text(name)))
  const links = [
    link(1, 1, renderAttribute(3, text('lo'))),
    link(
      2,
      0,
      renderAttribute(3, text('s0')),
      renderAttribute(10, number(3)),
      kind('veth'),
      renderAttribute(5, number(1)),
    ),
    link(3, 1, renderAttribute(3, text('br0')), kind('bridge')),
    link(
      4,
      1,
      renderAttribute(3, text('br0.5')),
      kind('vlan'),
      renderAttribute(5, number(3)),
      renderAttribute(52, renderAttribute(53, text('office'))),
    ),
    // Of another namespace is the index that it stands on.
    link(
      5,
      1,
      renderAttribute(3, text('mv')),
      kind('macvlan'),
      renderAttribute(5, number(3)),
      renderAttribute(37, number(0)),
    ),
  ]
  const address = (scope: number, index: number, bytes: number[]) =>
    message(
      20,
      Buffer.concat([Buffer.from([bytes.length === 4 ? 2 : 10, 0, 0, scope]), number(index)]),
      renderAttribute(1, Buffer.from(bytes)),
    )
  const fe80 = [0xfe, 0x80, ...Array(13).fill(0), 1]
  t.strictSame(parseInterfaces(links, [address(0, 3, [192, 0, 2, 1]), address(253, 3, fe80)]), [
    { name: 'lo', alternatives: [], isUp: true, addresses: [] },
    {
      name: 's0',
      alternatives: [],
      isUp: false,
      addresses: [],
      kind: 'veth',
      master: { name: 'br0', kind: 'bridge' },
    },
    { name: 'br0', alternatives: [], isUp: true, addresses: ['192.0.2.1'], kind: 'bridge' },
    {
      name: 'br0.5',
      alternatives: ['office'],
      isUp: true,
      addresses: [],
      kind: 'vlan',
      lower: 'br0',
    },
    { name: 'mv', alternatives: [], isUp: true, addresses: [], kind: 'macvlan' },
  ])
})

t.test('routes are read', async (t) => {
  const route = (type: number) => {
    const header = new Uint8Array(12)
    header[7] = type
    return message(24, header, renderAttribute(4, number(2)))
  }
  const names = (index: number) => (index === 2 ? 'eth0' : undefined)
  t.strictSame(parseRoute(route(1), names), { to: 'interface', name: 'eth0' })
  t.strictSame(parseRoute(route(2), names), { to: 'local' })
  t.strictSame(parseRoute(route(3), names), { to: 'group' })
  t.strictSame(parseRoute(route(5), names), { to: 'group' })
  t.strictSame(parseRoute(route(7), names), { to: 'nowhere' }, 'an unreachable route leads nowhere')
  t.strictSame(
    parseRoute(message(2, number(-101)), names),
    { to: 'nowhere' },
    'an error for an unreachable network leads nowhere',
  )
  t.equal(askRoute('192.0.2.1', 1).length, 16 + 12 + 8)
  t.equal(renderMessage({ ...route(1), payload: new Uint8Array(0) }).length, 16)
})

t.test('the output of ip is read', async (t) => {
  const listed = [
    { ifname: 'lo', flags: ['LOOPBACK', 'UP'], addr_info: [{ local: '127.0.0.1', scope: 'host' }] },
    {
      ifname: 's0',
      master: 'br0',
      flags: [],
      linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
      link: 'lo',
    },
    { ifname: 'br0', flags: ['UP'], linkinfo: { info_kind: 'bridge' }, altnames: ['lan'] },
    {
      ifname: 'br0.5',
      flags: ['UP'],
      linkinfo: { info_kind: 'vlan' },
      link: 'br0',
      addr_info: [{ local: 'fe80::1', scope: 'link' }],
    },
    {},
  ]
  t.strictSame(parseIpListing(JSON.stringify(listed)), [
    { name: 'lo', alternatives: [], isUp: true, addresses: ['127.0.0.1'] },
    {
      name: 's0',
      alternatives: [],
      isUp: false,
      addresses: [],
      kind: 'veth',
      master: { name: 'br0', kind: 'bridge' },
    },
    { name: 'br0', alternatives: ['lan'], isUp: true, addresses: [], kind: 'bridge' },
    { name: 'br0.5', alternatives: [], isUp: true, addresses: [], kind: 'vlan', lower: 'br0' },
  ])
  t.throws(() => parseIpListing('1: lo: <LOOPBACK>'), SyntaxError)
})

t.test('a wrong name leads to the nearest existing name', async (t) => {
  const names = ['eth0', 'eth1', 'br-lan', 'wlp2s0']
  for (const [word, meant] of [
    ...[
      ['ETH0', 'eth0'],
      ['eht1', 'eth1'],
      ['br_lan', 'br-lan'],
      ['brlan', 'br-lan'],
      ['wlp2so', 'wlp2s0'],
    ],
    ...[
      ['eth00', 'eth0'],
      ['tun0', undefined],
      ['x', undefined],
    ],
  ] as const) {
    t.equal(nearest(word as string, names), meant, word)
  }
})
