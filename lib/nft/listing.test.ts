// nft's listings, expected and unexpected ones → sets and counters, or the unexpected fragment.
import t from 'tap'
import { ListingError } from '../errors.js'
import { parseListing } from './listing.js'

const listed = (...objects: readonly unknown[]) => ({ nftables: objects })
const set = (parts: object) => ({ set: { family: 'inet', table: 'knock', name: 's', ...parts } })

t.test('sets and all forms of their elements are read', async (t) => {
  const elem = [
    '10.0.0.1',
    22,
    { elem: { val: '10.0.0.2', timeout: 30, expires: 12 } },
    { concat: ['10.0.0.3', 1024, 22] },
    { elem: { val: { concat: ['fd00::1', 1024] }, timeout: 30 } },
    { prefix: { addr: '10.1.0.0', len: 16 } },
    { range: [8000, 8010] },
    { elem: { val: '0x1f', timeout: 30, expires: 12 } },
    {
      elem: {
        val: { concat: ['tcp', 20000, { range: ['2026-01-01 00:00:00', '2026-01-01 00:59:59'] }] },
        timeout: 30,
        expires: 12,
      },
    },
  ]
  const { sets } = parseListing(listed(set({ type: 'ipv4_addr', timeout: 30, size: 8, elem })))
  const [timeout, expires] = [undefined, undefined]
  t.same(sets.get('s'), {
    timeout: 30,
    size: 8,
    elements: [
      { key: ['10.0.0.1'], timeout, expires },
      { key: ['22'], timeout, expires },
      { key: ['10.0.0.2'], timeout: 30, expires: 12 },
      { key: ['10.0.0.3', '1024', '22'], timeout, expires },
      { key: ['fd00::1', '1024'], timeout: 30, expires },
      { key: ['10.1.0.0/16'], timeout, expires },
      { key: ['8000-8010'], timeout, expires },
      { key: ['0x1f'], timeout: 30, expires: 12 },
      {
        key: ['tcp', '20000', '2026-01-01 00:00:00-2026-01-01 00:59:59'],
        timeout: 30,
        expires: 12,
      },
    ],
  })
})

t.test('counters are read, and other objects are skipped', async (t) => {
  const { counters, sets } = parseListing(
    listed(
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'inet', name: 'knock' } },
      { chain: { name: 'input' } },
      { rule: { chain: 'input', expr: [] } },
      { map: { name: 'ports', elem: [[1, {}]] } },
      { counter: { name: 'knocks_ssh', packets: 3, bytes: 100 } },
      { flowtable: { name: 'not ours' } },
      {},
    ),
  )
  t.same([...counters], [['knocks_ssh', 3]])
  t.same([...sets], [])
})

t.test('an empty listing has no sets and counters', async (t) => {
  const { sets, counters } = parseListing(listed())
  t.same([sets.size, counters.size], [0, 0])
})

t.test('an unexpected form is an error with its fragment', async (t) => {
  const strange: readonly (readonly [document: unknown, fragment: unknown])[] = [
    [undefined, undefined],
    [null, null],
    ['text', 'text'],
    [[], []],
    [{}, {}],
    [{ nftables: {} }, { nftables: {} }],
    ...[null, 'set', 5, []].map((item) => [listed(item), item] as const),
    ...[
      { set: null },
      { set: { name: 5 } },
      { set: {} },
      { counter: { name: 'c' } },
      { counter: { name: 'c', packets: '3' } },
    ].map((item) => [listed(item), item] as const),
    ...[null, true, {}, [], { prefix: { addr: 5 } }, { concat: [null] }, { elem: {} }].map(
      (element) => [listed(set({ elem: [element] })), undefined] as const,
    ),
    [listed(set({ timeout: '30s' })), undefined],
    [listed(set({ elem: [{ elem: { val: 'a', expires: '1s' } }] })), undefined],
  ]
  for (const [document, fragment] of strange) {
    const name = JSON.stringify(document) ?? 'undefined'
    try {
      parseListing(document)
      t.fail(name)
    } catch (error) {
      t.ok(error instanceof ListingError, name)
      t.match(error, { code: 'unexpected-listing', message: /^parseListing: expected .*, got / })
      if (fragment !== undefined) t.same((error as ListingError).fragment, fragment)
    }
  }
})

t.test('a long fragment is cut in the message and whole in the error', async (t) => {
  const elem = { strange: 'x'.repeat(5000) }
  t.throws(() => parseListing(listed(set({ elem: [elem] }))), {
    message: /^.{1,300}$/,
    fragment: elem,
  })
})
