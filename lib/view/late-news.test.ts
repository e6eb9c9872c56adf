// Late events → the changes that the new table needs.
import t from 'tap'
import type { KnockState } from '../spec/generated/state-types.js'
import type { KnockEvent } from './event.js'
import { lateOf } from './late-news.js'

const until = '2026-11-21T11:00:00.000Z'
const grant = (door: string, source: string) => ({ door, source, until })
const state: KnockState = {
  ...{ version: 1, table: 'knock', saved: '2026-11-21T10:00:00.000Z' },
  grants: [grant('ssh', '10.0.0.1'), grant('web', '10.0.0.1'), grant('ssh', 'fd00::1')],
  bans: [
    { source: '10.0.0.8', until },
    { source: 'fd00::9', until },
  ],
  tokens: [{ door: 'ssh', token: 'ab'.repeat(16), until }],
  sequences: [{ door: 'ssh', digest: '0123456789ab' }],
}
const granted = (door: string, source: string): KnockEvent => {
  return { event: 'granted', time: '', door, source, by: 'knock', expiresIn: 60 }
}
const closed = (door: string, source: string): KnockEvent => {
  return { event: 'closed', time: '', door, source, by: 'knock' }
}

t.test('late grants and bans are put in, and all used tokens and sequences', async (t) => {
  const news: KnockEvent[] = [
    granted('ssh', '10.0.0.1'),
    granted('ssh', '10.0.0.77'),
    { event: 'banned', time: '', source: 'fd00::9' },
  ]
  const { tokens, sequences } = state
  t.match(lateOf(state, news), {
    closed: [],
    state: { grants: [grant('ssh', '10.0.0.1')], bans: [state.bans[1]], tokens, sequences },
  })
  t.equal(lateOf(state, news).state.grants.length, 1)
})

t.test('late closed grants are closed unless they are held again', async (t) => {
  const news = [closed('ssh', '10.0.0.2'), closed('web', '10.0.0.1'), closed('web', 'fd00::1')]
  const { closed: shut, state: rest } = lateOf(state, news)
  t.strictSame(shut, [news[0], news[2]])
  t.strictSame([rest.grants, rest.bans], [[], []])
})
