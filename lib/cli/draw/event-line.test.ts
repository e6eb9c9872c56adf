// Each event → its line.
import t from 'tap'
import type { KnockEvent } from '../../index.js'
import { formatEvent, ROLE_OF, wordsOf } from './event-line.js'

const time = '2026-01-02T03:04:05.678Z'
const at = { time, door: 'ssh', source: '203.0.113.7' }
const everyone = { time, door: 'web', source: 'everyone' }

const LINES: readonly (readonly [KnockEvent, string])[] = [
  [{ ...at, event: 'knock', stage: 2, of: 3 }, 'knock      ssh  203.0.113.7  2 of 3'],
  [
    { ...at, event: 'granted', by: 'knock', expiresIn: 30, stage: 3, of: 3 },
    'granted    ssh  203.0.113.7  3 of 3, for 30 s',
  ],
  [
    { ...at, event: 'granted', by: 'knock', expiresIn: 600, stage: 1, of: 1, user: 'ana' },
    'granted    ssh  203.0.113.7  user ana, for 10 m',
  ],
  [
    { ...everyone, event: 'granted', by: 'call', expiresIn: 5400 },
    'granted    web  everyone  by call, for 1 h 30 m',
  ],
  [{ ...at, event: 'reset', stage: 2, of: 3 }, 'reset      ssh  203.0.113.7  at 2 of 3'],
  [{ ...at, event: 'wrong' }, 'wrong      ssh  203.0.113.7'],
  [{ ...at, event: 'denied', service: 'tcp/22' }, 'denied     ssh  203.0.113.7  tcp/22'],
  [{ ...at, event: 'denied' }, 'denied     ssh  203.0.113.7'],
  [{ time, event: 'banned', source: '2001:db8::7' }, 'banned     -  2001:db8::7'],
  [{ ...at, event: 'closed', by: 'knock' }, 'closed     ssh  203.0.113.7  by a knock'],
  [{ ...at, event: 'closed', by: 'call' }, 'closed     ssh  203.0.113.7  by call'],
  [{ ...at, event: 'closed', by: 'use' }, 'closed     ssh  203.0.113.7  by its last connection'],
  [{ ...everyone, event: 'expired' }, 'expired    web  everyone'],
  [{ time, event: 'overrun', lost: 12 }, 'overrun    -  -  12 events were lost'],
  [{ time, event: 'overrun' }, 'overrun    -  -  events were lost'],
  [{ time, event: 'installed' }, 'installed  -  -'],
  [{ time, event: 'removed' }, 'removed    -  -'],
  [
    { ...at, event: 'action-failed', action: 1, on: 'granted', reason: 'exit code 1', more: 3 },
    'action-failed  ssh  203.0.113.7  action 1, granted: exit code 1; and 3 times before',
  ],
  [
    { time, event: 'action-failed', action: 0, on: 'overrun', reason: 'took longer' },
    'action-failed  -  -  action 0, overrun: took longer',
  ],
  [
    { time, event: 'action-overrun', action: 0, lost: 9899 },
    'action-overrun  -  -  action 0: 9899 events were left out',
  ],
]

t.test('each event is written as one line', async (t) => {
  for (const [event, line] of LINES) t.equal(formatEvent(event), `${time}  ${line}`)
  t.same(
    new Set(LINES.map(([{ event }]) => event)),
    new Set(Object.keys(ROLE_OF)),
    'every event is tested',
  )
})

t.test('a line has no control characters, whatever the event has', async (t) => {
  const evil = 'a\n\u009b2Jb\u001b[0m'
  const shown = 'a\\n\\u009b2Jb\\u001b[0m'
  const event: KnockEvent = {
    ...{ time: evil, event: 'granted', by: 'knock', door: evil, source: evil },
    ...{ expiresIn: 30, stage: 1, of: 1, user: evil },
  }
  t.equal(formatEvent(event), `${shown}  granted    ${shown}  ${shown}  user ${shown}, for 30 s`)
  t.strictSame(wordsOf(event), { door: shown, source: shown, details: `user ${shown}, for 30 s` })
})
