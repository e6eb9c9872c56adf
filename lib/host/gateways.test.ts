// Routes as /proc has them, and the sources of a table → gateways, and a warning of one source.
import t from 'tap'
import { parseGateways, sourceWarnings } from './gateways.js'

const IPV4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0202000A	0003	0	0	0	00000000	0	0	0
eth0	0002000A	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth1	00000000	00000000	0001	0	0	9	00000000	0	0	0
`
const none = '0'.repeat(32)
const gateway = 'fd000000000000000000000000000002'
const net = 'fd000000000000000000000000000000'
const rest = '00000400 00000001 00000000 00000003     eth0'
const IPV6 = [
  `${net} 40 ${none} 00 ${none} ${rest}\n`,
  `${none} 00 ${none} 00 ${gateway} ${rest}\n`,
  `${none} 00 ${none} 00 ${none} ${rest}\n`,
].join('')

t.test('default routes with a gateway', async (t) => {
  t.strictSame(parseGateways(IPV4, IPV6, true), ['10.0.2.2', 'fd00::2'])
  t.strictSame(parseGateways('', '', true), [])
})

t.test('sources elsewhere, or several, or a host that is not known: no warning', async (t) => {
  t.strictSame(await sourceWarnings(new Set(), ''), [])
  t.strictSame(await sourceWarnings(new Set(['203.0.113.7']), ''), [])
  t.strictSame(await sourceWarnings(new Set(['203.0.113.7', '203.0.113.8']), ''), [])
  t.strictSame(await sourceWarnings(new Set(['203.0.113.7']), undefined), [])
  t.strictSame(await sourceWarnings(new Set(['203.0.113.7']), '/nonexistent'), [])
})
