// The sets that doors share → the same elements by door.
import t from 'tap'
import { stageSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { markOf } from '../automaton/sharing/names.js'
import type { ListedElement, Listing } from './listing.js'
import { familySet } from './names.js'
import { grantKey, grantPlaceOf, isAt, withOwnSets } from './own-sets.js'

const summary = (name: string, port: number, ...numbers: number[]): DoorSummary => ({
  name,
  services: [`tcp/${port}`],
  knocks: [{ attempt: 'open', steps: 3 }],
  grantTimeout: 30,
  connections: undefined,
  scope: 'source',
  established: 'keep',
  ...(numbers.length > 0 && {
    shared: {
      service: { protocol: 'tcp', port },
      knocks: numbers.map((number, index) => {
        return { attempt: index === 0 ? 'open' : 'close', number, steps: 3 } as const
      }),
    },
  }),
})

const element = (...key: string[]): ListedElement => ({ key, timeout: 30, expires: 20 })

const listingOf = (
  sets: Record<string, ListedElement[]>,
  counters: Record<string, number> = {},
): Listing => ({
  sets: new Map(
    Object.entries(sets).map(([name, elements]) => {
      return [name, { timeout: undefined, size: 100, elements }]
    }),
  ),
  counters: new Map(Object.entries(counters)),
})

const DOORS = [summary('ssh', 22, 7), summary('mail', 25, 8, 9), summary('alone', 80)]

t.test('a shared grant belongs to the door whose service has the port', async (t) => {
  const listing = listingOf({
    admitted_tcp_4: [
      element('10.0.0.1', '22'),
      element('10.0.0.2', '25'),
      element('10.0.0.1', '25'),
    ],
    admitted_tcp_6: [element('fd00::1', '22')],
    admitted_udp_4: [element('10.0.0.3', '22')],
    grants_alone_4: [element('10.0.0.4')],
  })
  const { sets } = withOwnSets(listing, DOORS)
  const of = (name: string) => sets.get(name)?.elements
  t.same(of('grants_ssh_4'), [element('10.0.0.1')])
  t.same(of('grants_ssh_6'), [element('fd00::1')])
  t.same(of('grants_mail_4'), [element('10.0.0.2'), element('10.0.0.1')])
  t.same(of('grants_alone_4'), [element('10.0.0.4')])
  t.equal(of('grants_mail_6'), undefined)
})

t.test('the mark of an attempt has its knock and its stage', async (t) => {
  const at = (source: string, number: number, stage: number): ListedElement => ({
    ...element(source),
    mark: markOf(number, stage),
  })
  const { sets } = withOwnSets(
    listingOf({
      started_4: [at('10.0.0.1', 7, 1), at('10.0.0.2', 9, 1), at('10.0.0.3', 99, 1)],
      advanced_6: [at('fd00::1', 8, 2)],
    }),
    DOORS,
  )
  const own = [...sets].filter(([name]) => name.includes('stage'))
  t.same(
    own.map(([name, { elements }]) => [name, elements.map(({ key }) => key)]),
    [
      [familySet(stageSet('ssh', 'open', 1), 4), [['10.0.0.1']]],
      [familySet(stageSet('mail', 'close', 1), 4), [['10.0.0.2']]],
      [familySet(stageSet('mail', 'open', 2), 6), [['fd00::1']]],
    ],
  )
})

t.test('the counts of all knocks of a door become one counter', async (t) => {
  const counted = (number: number, packets: number): ListedElement => ({
    key: [String(markOf(number, 0))],
    timeout: undefined,
    expires: undefined,
    packets,
  })
  const { counters } = withOwnSets(
    listingOf(
      {
        count_knocks_0: [counted(7, 3), counted(8, 10), counted(9, 5), counted(99, 1)],
        count_denied_0: [counted(8, 2)],
      },
      { knocks_alone: 4 },
    ),
    DOORS,
  )
  t.strictSame(Object.fromEntries(counters), {
    knocks_alone: 4,
    knocks_ssh: 3,
    knocks_mail: 15,
    denied_mail: 2,
  })
})

t.test('a table whose doors share nothing is listed as it is', async (t) => {
  const listing = listingOf({ admitted_tcp_4: [element('10.0.0.1', '22')] })
  t.equal(withOwnSets(listing, [summary('alone', 22)]), listing)
})

t.test('the set and the key of a grant are found', async (t) => {
  const [shared, own] = [grantPlaceOf(summary('ssh', 22, 7)), grantPlaceOf(summary('ssh', 22))]
  t.strictSame(shared, { set: 'admitted_tcp', port: 22 })
  t.strictSame(own, { set: 'grants_ssh' })
  t.strictSame(grantKey(shared, '10.0.0.1'), { concat: ['10.0.0.1', 22] })
  t.equal(grantKey(own, '10.0.0.1'), '10.0.0.1')
  t.equal(grantKey(own, undefined), 0)
  t.ok(isAt(shared, element('10.0.0.1', '22')))
  t.notOk(isAt(shared, element('10.0.0.1', '222')))
  t.ok(isAt(own, element('10.0.0.1')))
})
