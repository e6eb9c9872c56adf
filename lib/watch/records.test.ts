// What the readers tell, as events of one table.
import t from 'tap'
import { type Logged, renderPrefix } from '../automaton/language/log-prefix.js'
import { SharedKnocks } from '../automaton/sharing/find.js'
import { markOf } from '../automaton/sharing/names.js'
import type { TableChange } from '../kernel/readers/changes.js'
import { calledGrants, recordOfCall, recordOfLog, tableEvent } from './records.js'

const AT = Date.parse('2026-01-01T00:00:00.000Z')
const time = '2026-01-01T00:00:00.000Z'
const SHARED = {
  name: 'mail',
  services: ['tcp/25'],
  knocks: [{ attempt: 'open', steps: 3 }],
  grantTimeout: 30,
  connections: undefined,
  scope: 'source',
  established: 'keep',
  shared: {
    service: { protocol: 'tcp', port: 25 },
    knocks: [
      { attempt: 'open', number: 7, steps: 3 },
      { attempt: 'close', number: 8, steps: 2 },
    ],
  },
} as const
const WATCHED = {
  table: 'knock',
  grantTimeout: (door: string) => (door === 'gone' ? undefined : 30),
  grantPrefix: () => undefined,
  isForEveryone: (door: string) => door === 'web',
  shared: new SharedKnocks([SHARED]),
  door: () => undefined,
}
const source = '10.77.0.2'
const logged = (parts: Logged, more: object = {}, table = 'knock') =>
  recordOfLog({ logged: renderPrefix(table, parts), at: AT, source, ...more }, WATCHED)

t.test('a logged packet makes an event with what its prefix says', async (t) => {
  const place = { door: 'ssh', attempt: 'open2', stage: 1, of: 3 } as const
  t.same(logged({ event: 'knock', ...place }), {
    event: { time, event: 'knock', door: 'ssh', source, stage: 1, of: 3 },
    attempt: 'open2',
  })
  t.same(logged({ event: 'reset', ...place })?.event, {
    ...{ time, event: 'reset', door: 'ssh', source, stage: 1, of: 3 },
  })
  const step = { door: 'ssh', attempt: 'open' } as const
  const reset = { time, event: 'reset', door: 'ssh', source }
  t.same(logged({ event: 'reset', ...step })?.event, reset, 'nobody knows where')
  const grant = { event: 'granted', door: 'ssh', attempt: 'open', stage: 1, of: 1 } as const
  const granted = { time, event: 'granted', door: 'ssh', source, by: 'knock', expiresIn: 30 }
  t.same(logged({ ...grant, user: 'ana' }, { token: 'ab' }), {
    event: { ...granted, stage: 1, of: 1, user: 'ana' },
    attempt: 'open',
    token: 'ab',
  })
  t.match(logged({ ...grant, door: 'web' })?.event, { source: 'everyone' })
  t.match(logged({ event: 'closed', door: 'web' })?.event, { source: 'everyone', by: 'use' })
  t.match(logged({ ...step, event: 'closed', attempt: 'close' })?.event, { by: 'knock' })
  t.same(logged({ event: 'wrong', ...step })?.event, { time, event: 'wrong', door: 'ssh', source })
  const denied = { time, event: 'denied', door: 'ssh', source }
  t.same(logged({ event: 'denied', door: 'ssh' })?.event, denied)
  const service = 'tcp/22'
  t.same(logged({ event: 'denied', door: 'ssh' }, { service })?.event, { ...denied, service })
  t.same(logged({ event: 'banned' })?.event, { time, event: 'banned', source })
})

t.test(
  'a packet at doors that share their sets makes the event of the door that its mark says',
  async (t) => {
    const marked = (event: Logged['event'], mark: number) =>
      logged({ event, shared: true }, { mark, ...(event === 'denied' && { service: 'tcp/25' }) })
    const place = { time, door: 'mail', source }
    t.same(marked('knock', markOf(7, 2)), {
      event: { ...place, event: 'knock', stage: 2, of: 3 },
      attempt: 'open',
    })
    const closed = { ...place, event: 'closed', by: 'knock' }
    t.same(marked('closed', markOf(8, 2)), { event: closed, attempt: 'close' })
    const denied = { ...place, event: 'denied', service: 'tcp/25' }
    t.same(marked('denied', markOf(7, 0)), { event: denied })
    t.equal(marked('knock', markOf(9, 1)), undefined, 'a knock of another table')
    t.equal(marked('knock', 0), undefined, 'no mark')
  },
)

t.test('a packet of another table, or with a prefix that is none, makes no event', async (t) => {
  t.equal(logged({ event: 'banned' }, {}, 'other'), undefined, 'another table')
  t.equal(recordOfLog({ logged: 'kl is no word of ours', at: AT }, WATCHED), undefined)
  t.equal(logged({ event: 'wrong' }), undefined, 'no door')
})

const change = (parts: Partial<TableChange>): TableChange => ({
  table: 'knock',
  event: 'changed',
  shape: false,
  sets: [],
  elements: [],
  more: false,
  ...parts,
})

t.test('a grant that a call changes makes an event', async (t) => {
  const elements = [
    { set: 'grants_ssh_4', key: '0a4d0002', expiresIn: 29_600 },
    { set: 'grants_ssh_6', key: `fd${'0'.repeat(29)}7`, expiresIn: null },
    { set: 'grants_web_0', key: '02' },
    { set: 'spent_ssh_0', key: '00' },
    { set: 'admitted_tcp_4', key: '0a4d000200190000', expiresIn: null },
    { set: 'admitted_tcp_4', key: '0a4d000200500000', expiresIn: null },
  ]
  const grants = calledGrants(change({ elements }), WATCHED)
  t.same(
    grants.map((grant) => recordOfCall(grant, AT).event),
    [
      { time, event: 'granted', door: 'ssh', source, by: 'call', expiresIn: 30 },
      { time, event: 'closed', door: 'ssh', source: 'fd00::7', by: 'call' },
      { time, event: 'granted', door: 'web', source: 'everyone', by: 'call', expiresIn: 0 },
      { time, event: 'closed', door: 'mail', source, by: 'call' },
    ],
  )
})

t.test('a change of the rules is an installed table, a change of state is no event', async (t) => {
  t.equal(tableEvent(change({ event: 'removed', shape: true })), 'removed')
  t.equal(tableEvent(change({ event: 'made', shape: true })), 'installed')
  t.equal(tableEvent(change({ shape: true })), 'installed', 'a rule, by hand')
  for (const set of ['about', 'trusted_4', 'named_0123abcd_0', 'ports_0123abcd', 'steps'])
    t.equal(tableEvent(change({ sets: [set] })), 'installed', set)
  for (const set of ['banned_4', 'tokens1_ssh_0', 'spent_ssh_0', 'ports1_ssh_0'])
    t.equal(tableEvent(change({ sets: [set] })), undefined, `${set}: its life`)
})
