// Grants and counts when doors begin or cease to share their sets, come, go or change.
import t from 'tap'
import type { DoorSummary } from '../automaton/language/summary.js'
import { markOf } from '../automaton/sharing/names.js'
import type { About } from '../nft/about.js'
import type { ListedElement, Listing } from '../nft/listing.js'
import { keepsElements } from './kept.js'
import { renderMovedGrants, renderOldCounts, renderWidenedBans } from './moved.js'

const summary = (name: string, port: number, number?: number): DoorSummary => ({
  name,
  services: [`tcp/${port}`],
  knocks: [{ attempt: 'open', steps: 3 }],
  grantTimeout: 30,
  connections: undefined,
  scope: 'source',
  established: 'keep',
  ...(number !== undefined && {
    shared: {
      service: { protocol: 'tcp', port },
      knocks: [{ attempt: 'open', number, steps: 3 }],
    },
  }),
})

const element = (...key: string[]): ListedElement => ({ key, timeout: 30, expires: 20 })

const listingOf = (sets: Record<string, ListedElement[]>): Listing => ({
  sets: new Map(
    Object.entries(sets).map(([name, elements]) => {
      return [name, { timeout: undefined, size: 100, elements }]
    }),
  ),
  counters: new Map(),
})

const SIZES = new Map([
  ['admitted_tcp_4', 100],
  ['grants_ssh_4', 100],
])
const moved = (before: DoorSummary[], after: DoorSummary[], listing: Listing) =>
  renderMovedGrants({ table: 'k', before, after, sizes: SIZES }, listing)

const change = (verb: 'add' | 'delete', name: string, elem: unknown[]) => ({
  [verb]: { element: { family: 'inet', table: 'k', name, elem } },
})
const grant = (val: unknown) => ({ elem: { val, timeout: 30, expires: 20 } })

t.test('grants follow their door into the sets that it shares, and out of them', async (t) => {
  const [alone, shared] = [summary('ssh', 22), summary('ssh', 22, 7)]
  const own = listingOf({ grants_ssh_4: [element('10.0.0.1')] })
  t.same(moved([alone], [shared], own), [
    change('add', 'admitted_tcp_4', [grant({ concat: ['10.0.0.1', 22] })]),
  ])
  const both = [element('10.0.0.1', '22'), element('10.0.0.2', '25')]
  const together = listingOf({ admitted_tcp_4: both })
  t.same(moved([shared, summary('mail', 25, 8)], [alone, summary('mail', 25, 8)], together), [
    ...leaving('10.0.0.1', 22),
    change('add', 'grants_ssh_4', [grant('10.0.0.1')]),
  ])
  t.same(moved([shared], [summary('ssh', 2222, 7)], together), [
    ...leaving('10.0.0.1', 22),
    change('add', 'admitted_tcp_4', [grant({ concat: ['10.0.0.1', 2222] })]),
  ])
  t.same(moved([shared], [shared], together), [], 'no grant moves between two equal shared sets')
  t.same(moved([alone], [alone], own), [])
})

t.test('only as many grants move as the set has room for', async (t) => {
  const many = (port: string | undefined, count: number): ListedElement[] =>
    Array.from({ length: count }, (_, i) => ({
      ...element(`10.0.${i >> 8}.${i & 255}`, ...(port ? [port] : [])),
      expires: i + 1,
    }))
  const listing = listingOf({ grants_ssh_4: many(undefined, 60), admitted_tcp_4: many('25', 70) })
  const mail = summary('mail', 25, 8)
  const [change, ...others] = moved(
    [summary('ssh', 22), mail],
    [summary('ssh', 22, 7), mail],
    listing,
  )
  t.same(others, [])
  const elements = JSON.stringify(change).match(/"expires":\d+/g) ?? []
  t.equal(elements.length, 30, '30 grants move into a set that has 70 of 100')
  t.equal(elements[0], '"expires":60')
  t.equal(elements.at(-1), '"expires":31', 'the grants that last longest move')
})

t.test('a grant that moves to another port within a full set has room', async (t) => {
  const full = Array.from({ length: 100 }, (_, i) => element(`10.0.0.${i}`, i === 0 ? '22' : '25'))
  const listing = listingOf({ admitted_tcp_4: full })
  const mail = summary('mail', 25, 8)
  const commands = moved([summary('ssh', 22, 7), mail], [summary('ssh', 2222, 7), mail], listing)
  t.same(commands, [
    ...leaving('10.0.0.0', 22),
    change('add', 'admitted_tcp_4', [grant({ concat: ['10.0.0.0', 2222] })]),
  ])
})

t.test('the grants of a removed door are deleted, so that no other door has them', async (t) => {
  const listing = listingOf({ admitted_tcp_4: [element('10.0.0.1', '22')] })
  const after = [summary('other', 22, 9)]
  t.same(moved([summary('ssh', 22, 7)], after, listing), leaving('10.0.0.1', 22))
})

t.test('grants of blocks move under the same prefix, and under no other', async (t) => {
  const prefix = { 4: 24, 6: 64 }
  const own = listingOf({
    grants_ssh_4p24: [element('10.0.0.0')],
    grants_ssh_6p64: [element('fd00::')],
    grants_ssh_4: [element('10.0.0.1')],
  })
  const alone = { ...summary('ssh', 22), prefix }
  const shared = (length: number) => ({ ...summary('ssh', 22, 7), prefix: { 4: 24, 6: length } })
  const moves = change('add', 'admitted_tcp_4p24', [grant({ concat: ['10.0.0.0', 22] })])
  t.same(moved([alone], [shared(64)], own), [
    moves,
    change('add', 'admitted_tcp_6p64', [grant({ concat: ['fd00::', 22] })]),
  ])
  t.same(moved([alone], [shared(56)], own), [moves], 'a grant for a /64 is none for a /56')
  t.same(moved([alone], [summary('ssh', 22, 7)], own), [], 'nor for one address')
})

t.test('bans go to the blocks around them if blocks are banned now', async (t) => {
  const ban = (address: string, expires: number) => ({ ...element(address), timeout: 60, expires })
  const widened = (
    sets: Record<string, ListedElement[]>,
    prefix: { 4: number; 6: number } | undefined,
    size = 100,
  ) => {
    const names = ['banned_4', 'banned_4p24', 'banned_6', 'banned_6p56', 'banned_6p64']
    const sizes = new Map(names.map((name) => [name, size]))
    return renderWidenedBans({ table: 'k', prefix, sizes }, listingOf(sets))
  }
  const banned = (name: string, ...elements: ListedElement[]) =>
    change(
      'add',
      name,
      elements.map(({ key: [val], ...rest }) => ({ elem: { val, ...rest } })),
    )
  const addresses = {
    banned_4: [ban('10.0.0.1', 20), ban('10.0.0.9', 50), ban('10.0.0.5', 30), ban('10.0.1.1', 40)],
  }
  const [first, second] = [ban('10.0.0.0', 50), ban('10.0.1.0', 40)]
  t.same(widened(addresses, { 4: 24, 6: 128 }), [banned('banned_4p24', first, second)])
  t.same(widened(addresses, { 4: 24, 6: 128 }, 1), [banned('banned_4p24', first)], 'no room')
  t.same(widened(addresses, undefined), [])
  t.same(widened(addresses, { 4: 16, 6: 64 }), [], 'a table without bans has no set for them')
  const blocks = { banned_6p64: [ban('2001:db8:0:1::', 20)], grants_ssh_6: [element('fd00::1')] }
  t.same(widened(blocks, { 4: 32, 6: 56 }), [banned('banned_6p56', ban('2001:db8::', 20))])
  t.same(widened(blocks, { 4: 32, 6: 64 }), [], 'these stay where they are')
  t.same(widened(blocks, { 4: 32, 6: 128 }), [], 'a ban of a block is none of an address')
  t.same(widened(blocks, undefined), [])
})

/** Each is added first, since it may have expired. */
function leaving(source: string, port: number) {
  const elem = [{ concat: [source, port] }]
  return [change('add', 'admitted_tcp_4', elem), change('delete', 'admitted_tcp_4', elem)]
}

t.test('counts are deleted with their knock, or if another knock has its number', async (t) => {
  const marks = [7, 8, 9].map((number) => String(markOf(number, 0)))
  const listing = listingOf({ count_knocks_0: marks.map((mark) => element(mark)) })
  const before = [summary('ssh', 22, 7), summary('mail', 25, 8)]
  const after = [summary('ssh', 22, 7), summary('new', 80, 8)]
  const elem = [markOf(8, 0), markOf(9, 0)]
  t.same(renderOldCounts({ table: 'k', before, after }, listing), [
    change('add', 'count_knocks_0', elem),
    change('delete', 'count_knocks_0', elem),
  ])
  t.same(renderOldCounts({ table: 'k', before, after: [summary('ssh', 22)] }, listing), [])
})

t.test('attempts at shared doors go on while each number means the same knock', async (t) => {
  const about = (doors: DoorSummary[], digest: string): About => ({
    layout: 4,
    digest: '',
    doors,
    doorsDigest: '',
    attempts: new Map(doors.map(({ name }) => [`${name} open`, digest])),
  })
  const ssh = summary('ssh', 22, 7)
  const keeps = (doors: DoorSummary[], digest = 'a') =>
    keepsElements(about([ssh], 'a'), about(doors, digest).attempts, doors)('started_4')
  t.ok(keeps([ssh]))
  t.ok(keeps([ssh, summary('mail', 25, 8)]), 'attempts stay when another door is added')
  t.ok(keeps([summary('mail', 25, 8)]), 'attempts stay when a door is removed')
  t.notOk(keeps([ssh], 'b'), 'attempts end when the knock has changed')
  t.notOk(
    keeps([summary('ssh', 22, 8), summary('mail', 25, 7)]),
    'attempts end when another knock has the number',
  )
})
