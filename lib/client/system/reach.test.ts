// Hosts, sources and ports of this machine → addresses, and what a port answers.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import t from 'tap'
import { nodeSystem } from './node.js'
import { chooseOutlet } from './outlet.js'
import { probePort } from './probe.js'
import { resolveHost } from './resolve.js'

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === '::1')

t.test('an address resolves to itself if its family is wanted', async (t) => {
  t.same(await resolveHost('192.0.2.1', [4, 6]), [{ family: 4, address: '192.0.2.1' }])
  t.same(await resolveHost('2001:DB8::1', [4, 6]), [{ family: 6, address: '2001:db8::1' }])
  const zoned = 'fe80::1%eth0'
  t.same(await resolveHost(zoned, [6]), [{ family: 6, address: zoned }])
  const refused = { code: 'not-sent', message: 'sendKnock: 192.0.2.1: not an IPv6 address' }
  await t.rejects(resolveHost('192.0.2.1', [6]), refused)
})

t.test('a name resolves to all its addresses, each once', async (t) => {
  const found = await resolveHost('localhost', [4, 6])
  t.ok(found.length > 0)
  t.equal(new Set(found.map(({ address }) => address)).size, found.length)
  const message = /^sendKnock: no\.\.such: no address found$/
  await t.rejects(resolveHost('no..such', [4, 6]), { code: 'not-sent', message })
})

t.test('packets are sent from a given source or interface', async (t) => {
  t.equal(chooseOutlet({}, 'here'), undefined)
  t.same([...(chooseOutlet({ source: '127.0.0.1' }, 'here') ?? [])], [[4, '127.0.0.1']])
  const loopback = chooseOutlet({ interface: 'lo' }, 'here')
  t.equal(loopback?.get(4), '127.0.0.1')
  t.equal(loopback?.get(6), hasIpv6 ? '::1' : undefined)
  const both = { source: '127.0.0.1', interface: 'lo' }
  t.throws(() => chooseOutlet(both, 'here'), { message: /^here: expected a source or an interf/ })
  t.throws(() => chooseOutlet({ source: 'lo' }, 'here'), { message: /address, got lo$/ })
  const unknown = /^here: expected an interface that has an address \(.*lo.*\), got nosuch0$/
  t.throws(() => chooseOutlet({ interface: 'nosuch0' }, 'here'), { message: unknown })
})

t.test('a family without a source address is left out', async (t) => {
  const system = nodeSystem({ source: '127.0.0.1' }, 'here')
  t.same(await system.resolve('127.0.0.1', [4, 6]), [{ family: 4, address: '127.0.0.1' }])
  const message = 'sendKnock: 127.0.0.1: no address of IPv6 to send from'
  await t.rejects(async () => system.resolve('::1', [6]), { code: 'not-sent', message })
})

t.test('a port is open, refuses, or does not answer', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}).resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const local = { family: 4, address: '127.0.0.1' } as const
  t.equal(await probePort({ ...local, source: '127.0.0.1' }, port, 5000), 'open')
  server.close()
  await once(server, 'close')
  t.equal(await probePort(local, port, 5000), 'refused')
  // A source that this machine does not have (RFC 5737): no packet leaves.
  t.equal(await probePort({ ...local, source: '192.0.2.1' }, port, 5000), 'filtered')
})
