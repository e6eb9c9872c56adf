// Listings of chains → the families whose services nothing else keeps closed.
import t from 'tap'
import type { Cidr } from '../spec/model/packet-model.js'
import { familiesWithoutPolicy } from './judge-closing.js'

const chain = (family: string, hook: string, policy = 'drop', table = 'filter') => ({
  chain: { family, table, name: 'any', handle: 1, type: 'filter', hook, prio: 0, policy },
})
const listing = (...chains: object[]) => ({
  nftables: [{ metainfo: { version: '1.1.3' } }, ...chains],
})
const doors = [{ addresses: [] }]
const INPUT = { hook: 'input', table: 'knock', doors } as const
const FORWARD = { ...INPUT, hook: 'forward' } as const

t.test('an empty ruleset and one that accepts everything close nothing', async (t) => {
  const regular = { chain: { family: 'inet', table: 'filter', name: 'tcp', handle: 2 } }
  t.same(familiesWithoutPolicy(listing(), INPUT), [4, 6])
  t.same(familiesWithoutPolicy(listing(regular, chain('inet', 'input', 'accept')), INPUT), [4, 6])
})

t.test('each family of tables closes its own addresses', async (t) => {
  t.same(familiesWithoutPolicy(listing(chain('inet', 'input')), INPUT), [])
  t.same(familiesWithoutPolicy(listing(chain('ip', 'input')), INPUT), [6])
  t.same(familiesWithoutPolicy(listing(chain('ip6', 'input')), INPUT), [4])
  t.same(familiesWithoutPolicy(listing(chain('ip', 'input'), chain('ip6', 'input')), INPUT), [])
  t.same(familiesWithoutPolicy(listing(chain('bridge', 'input')), INPUT), [4, 6])
})

t.test('only chains on the path to the service count', async (t) => {
  t.same(familiesWithoutPolicy(listing(chain('inet', 'forward')), INPUT), [4, 6])
  t.same(familiesWithoutPolicy(listing(chain('inet', 'output')), INPUT), [4, 6])
  t.same(familiesWithoutPolicy(listing(chain('inet', 'prerouting')), INPUT), [])
  t.same(familiesWithoutPolicy(listing(chain('inet', 'input')), FORWARD), [4, 6])
  t.same(familiesWithoutPolicy(listing(chain('inet', 'forward')), FORWARD), [])
})

t.test('doors at prerouting and ingress need both input and forward closed', async (t) => {
  for (const hook of ['prerouting', 'ingress'] as const) {
    const place = { ...INPUT, hook }
    t.same(familiesWithoutPolicy(listing(chain('inet', 'forward')), place), [4, 6])
    t.same(familiesWithoutPolicy(listing(chain('inet', 'input')), place), [4, 6])
    const both = listing(chain('inet', 'input'), chain('inet', 'forward'))
    t.same(familiesWithoutPolicy(both, place), [])
    t.same(familiesWithoutPolicy(listing(chain('inet', 'prerouting')), place), [])
  }
  t.same(
    familiesWithoutPolicy(listing(chain('netdev', 'ingress')), INPUT),
    [4, 6],
    'a chain of one device closes nothing',
  )
})

t.test('our own table does not count, because it can be removed', async (t) => {
  t.same(familiesWithoutPolicy(listing(chain('ip', 'input', 'drop', 'knock')), INPUT), [6])
  t.same(familiesWithoutPolicy(listing(chain('inet', 'input', 'drop', 'knock')), INPUT), [4, 6])
})

t.test('only the families that a door judges count', async (t) => {
  const four = { family: 4, address: '192.0.2.1', prefixLength: 32 } as const
  const six = { family: 6, address: '2001:db8::1', prefixLength: 128 } as const
  const at = (...addresses: Cidr[]) => ({ ...INPUT, doors: [{ addresses }] })
  t.same(familiesWithoutPolicy(listing(chain('ip', 'input')), at(four)), [])
  t.same(familiesWithoutPolicy(listing(chain('ip', 'input')), at(four, six)), [6])
  t.same(familiesWithoutPolicy(listing(), at(six)), [6])
  const both = { ...INPUT, doors: [{ addresses: [four] }, { addresses: [] }] }
  t.same(
    familiesWithoutPolicy(listing(chain('ip', 'input')), both),
    [6],
    'another door judges both families',
  )
})

t.test('an unreadable listing gives no result', async (t) => {
  for (const wrong of [undefined, null, [], {}, { nftables: null }]) {
    t.same(familiesWithoutPolicy(wrong, INPUT), [])
  }
  t.same(familiesWithoutPolicy({ nftables: [null, { chain: null }] }, INPUT), [4, 6])
})
