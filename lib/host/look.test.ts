// What this process's own network namespace is seen to have, by rtnetlink and without privilege.
import { networkInterfaces } from 'node:os'
import t from 'tap'
import { lookAtHost } from './look.js'
import { askNetwork } from './rtnetlink.js'
import { interfaceWarnings } from './warnings.js'

t.test('interfaces, addresses and routes are found', async (t) => {
  const host = await lookAtHost('', ['127.0.0.1', '::1', '203.0.113.9'], 'test')
  if ('reason' in host) return t.fail(host.reason)
  const names = host.interfaces.map(({ name }) => name)
  for (const name of Object.keys(networkInterfaces())) t.ok(names.includes(name), name)
  const lo = host.interfaces.find(({ name }) => name === 'lo')
  t.ok(lo, 'the loopback interface is found')
  t.equal(host.routes.get('127.0.0.1')?.to, 'local')
  t.type(host.filtersBridges?.[4], 'boolean')
})

t.test('a missing namespace gives a reason', async (t) => {
  const host = await lookAtHost('nosuch-namespace', [], 'test')
  t.ok('reason' in host && host.reason.length > 0)
})

t.test('a failed lookup is reported, and changes nothing', async (t) => {
  const { routes } = await askNetwork('test', ['127.0.0.1'])
  t.equal(routes.size, 1)
  const place = { hook: 'input', interfaces: ['nosuch0'] } as const
  const [warning] = await interfaceWarnings({ table: place, doors: [] }, '', 'test')
  t.match(warning, { id: 'interface-missing', message: /nosuch0/ })
  const ofDoor = { table: undefined, doors: [undefined, place] }
  t.match(await interfaceWarnings(ofDoor, '', 'test'), [
    { id: 'interface-missing', path: '/doors/1/interfaces/0' },
  ])
  t.same(await interfaceWarnings({ table: undefined, doors: [undefined] }, '', 'test'), [])
  t.same(await interfaceWarnings({ table: place, doors: [] }, undefined, 'test'), [])
})
