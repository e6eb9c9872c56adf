// Listings and events → the known state of a table.
import t from 'tap'
import type { KnockState } from '../spec/generated/state-types.js'
import type { KnockEvent } from './event.js'
import { KnownState, type TableRecord } from './known-state.js'

const T0 = Date.parse('2026-11-21T10:00:00.000Z')
const at = (seconds: number) => T0 + seconds * 1000
const iso = (seconds: number) => new Date(at(seconds)).toISOString()

const known = () =>
  new KnownState({
    table: 'knock',
    banFor: 600,
    rememberTokens: 1000,
    digestOf: (_door, attempt) => (attempt === 'open2' ? '0123456789ab' : undefined),
  })
const listed = (seconds: number, rest: Partial<KnockState> = {}): KnockState => {
  const none = { grants: [], bans: [], tokens: [], sequences: [] }
  return { version: 1, table: 'knock', saved: iso(seconds), ...none, ...rest }
}
const granted = (source: string, rest: Partial<TableRecord> = {}): TableRecord => ({
  event: { event: 'granted', time: '', door: 'ssh', source, by: 'knock', expiresIn: 30 },
  ...rest,
})
const heard = (event: 'closed' | 'expired', source: string): TableRecord => ({
  event: { event, time: '', door: 'ssh', source, by: 'call' } as KnockEvent,
})

t.test('listed grants and bans are known until they expire', async (t) => {
  const state = known()
  const grant = { door: 'ssh', source: '10.0.0.1', until: iso(20), used: 1 }
  const ban = { source: 'fd00::1', until: iso(40) }
  state.read(listed(0, { grants: [grant], bans: [ban] }), at(0))
  t.strictSame(state.state(at(1)), listed(1, { grants: [grant], bans: [ban] }))
  t.strictSame(state.state(at(20)), listed(20, { bans: [ban] }))
  t.strictSame(state.state(at(40)), listed(40))
})

t.test('events since the listing are applied', async (t) => {
  const state = known()
  state.read(listed(0), at(0))
  state.hear(granted('10.0.0.1'), at(1))
  state.hear(granted('10.0.0.2'), at(1))
  state.hear(granted('10.0.0.3'), at(1))
  state.hear(heard('closed', '10.0.0.2'), at(2))
  state.hear(heard('expired', '10.0.0.3'), at(2))
  state.hear({ event: { event: 'banned', time: '', source: '10.0.0.9' } }, at(3))
  const grants = [{ door: 'ssh', source: '10.0.0.1', until: iso(31) }]
  const bans = [{ source: '10.0.0.9', until: iso(603) }]
  t.strictSame(state.state(at(4)), listed(4, { grants, bans }))
})

t.test('a listing does not undo events from the time when it was made', async (t) => {
  const state = known()
  state.hear(granted('10.0.0.1'), at(10))
  state.read(listed(10), at(10))
  t.equal(state.state(at(11)).grants.length, 1, 'a grant reported during the listing stays')
  state.read(listed(20), at(20))
  t.equal(
    state.state(at(21)).grants.length,
    0,
    'a grant reported long before the listing is dropped',
  )
  state.hear(heard('closed', '10.0.0.4'), at(29.5))
  state.read(listed(29, { grants: [{ door: 'ssh', source: '10.0.0.4', until: iso(60) }] }), at(30))
  t.equal(state.state(at(30)).grants.length, 0, 'a grant closed during the listing is dropped')
})

t.test('used tokens and sequences stay used, even if a listing lacks them', async (t) => {
  const state = known()
  const token = 'ab'.repeat(16)
  state.hear(granted('10.0.0.1', { attempt: 'open', token }), at(0))
  state.hear(granted('10.0.0.1', { attempt: 'open2' }), at(0))
  state.read(listed(100), at(100))
  const { tokens, sequences } = state.state(at(101))
  t.strictSame(tokens, [{ door: 'ssh', token, until: iso(1000) }])
  t.strictSame(sequences, [{ door: 'ssh', digest: '0123456789ab' }])
  t.equal(state.state(at(1000)).tokens.length, 1, 'a used token stays after the clock was ahead')
  state.read(listed(1000), at(1000))
  t.strictSame(
    state.state(at(1000)).tokens,
    [],
    'a used token is dropped when it has expired and is not listed',
  )
})

t.test('the result says whether a listing changed the state', async (t) => {
  const state = known()
  const grant = { door: 'ssh', source: '10.0.0.1', until: iso(24) }
  t.equal(state.read(listed(0), at(0)), false)
  t.equal(state.read(listed(0, { grants: [grant] }), at(0)), true)
  t.equal(
    state.read(listed(1, { grants: [{ ...grant, until: iso(25 - 0.4) }] }), at(1)),
    false,
    'a rounded time is no change',
  )
  t.equal(state.read(listed(1, { grants: [{ ...grant, used: 1 }] }), at(1)), true)
  t.equal(state.read(listed(1, { grants: [{ ...grant, used: 1, until: iso(60) }] }), at(1)), true)
  t.equal(state.read(listed(2), at(2)), true)
})

t.test('a slow listing does not undo events during it', async (t) => {
  const state = known()
  const grant = { door: 'ssh', source: '10.0.0.1', until: iso(60) }
  state.read(listed(0, { grants: [grant] }), at(0))
  state.hear(heard('closed', '10.0.0.1'), at(1))
  for (let i = 2; i < 20; i += 1) state.hear(granted('10.0.0.2'), at(i))
  state.read(listed(1, { grants: [grant] }), at(20))
  t.strictSame(
    state.state(at(21)).grants.map(({ source }) => source),
    ['10.0.0.2'],
  )
})

t.test('only the events that are needed are remembered', async (t) => {
  const state = known()
  for (let i = 0; i < 10_000; i += 1) state.hear(granted('10.0.0.1'), at(i))
  state.read(listed(9990), at(9999))
  t.equal(state.state(at(9991)).grants.length, 1)
})

t.test('events from before the clock was set back are ignored', async (t) => {
  const state = known()
  const token = 'ab'.repeat(16)
  state.hear(granted('10.0.0.1', { attempt: 'open', token }), at(3600))
  const grant = { door: 'ssh', source: '10.0.0.1', until: iso(20) }
  state.read(listed(0, { grants: [grant] }), at(0))
  t.strictSame(state.state(at(0)).grants, [grant], 'the grant stays as listed')
  const { saved, tokens } = state.state(at(1))
  t.strictSame(
    [saved, tokens],
    [iso(1), [{ door: 'ssh', token, until: iso(1001) }]],
    'the state can be saved',
  )
  state.read(listed(2), at(2))
  t.strictSame(state.state(at(2)).grants, [], 'the grant ends')
})

t.test('a grant keeps its listed count if an event reported it just before', async (t) => {
  const state = known()
  const grant = { door: 'ssh', source: '10.0.0.1', until: iso(30), used: 2 }
  state.hear(granted('10.0.0.1'), at(0))
  state.read(listed(1, { grants: [grant] }), at(1))
  t.strictSame(state.state(at(1)).grants, [grant])
  state.hear(granted('10.0.0.1'), at(2))
  t.strictSame(state.state(at(2)).grants, [{ door: 'ssh', source: '10.0.0.1', until: iso(32) }])
})

t.test('a clock set forward or back changes no remaining time', async (t) => {
  const state = known()
  t.notOk(state.isComplete)
  const grant = { door: 'ssh', source: '10.0.0.1', until: iso(20) }
  const ban = { source: 'fd00::1', until: iso(40) }
  const token = { door: 'ssh', token: 'ab', until: iso(500) }
  state.read(listed(0, { grants: [grant], bans: [ban], tokens: [token] }), at(0))
  t.ok(state.isComplete)
  state.hear(granted('10.0.0.2'), at(1))
  state.shift(-3_600_000)
  t.strictSame(
    state.state(at(2 - 3600)),
    listed(2 - 3600, {
      grants: [
        { ...grant, until: iso(20 - 3600) },
        { door: 'ssh', source: '10.0.0.2', until: iso(31 - 3600) },
      ],
      bans: [{ ...ban, until: iso(40 - 3600) }],
      tokens: [{ ...token, until: iso(500 - 3600) }],
    }),
  )
  state.read(listed(2 - 3600), at(2 - 3600))
  t.equal(state.state(at(3 - 3600)).grants.length, 1, 'a reported grant keeps its remaining time')
})

t.test('used tokens and sequences are remembered before the first listing', async (t) => {
  const state = known()
  const sequence = { door: 'ssh', digest: '0123456789ab' }
  const grant = { door: 'ssh', source: '10.0.0.1', until: iso(20) }
  state.remember(listed(0, { grants: [grant], sequences: [sequence] }))
  t.notOk(state.isComplete)
  t.strictSame(state.state(at(1)), listed(1, { sequences: [sequence] }))
})
