// An event → the variables and the document that an action gets.
import t from 'tap'
import type { ActionOn } from '../spec/model/model.js'
import type { KnockEvent } from '../view/event.js'
import { type ActedEvent, tellOf } from './told.js'

/** Fails to compile if an event is missing in the schema, or one is in it that never comes. */
type Nameable = Exclude<KnockEvent['event'], 'action-failed' | 'action-overrun'>
const names: [Nameable] extends [ActionOn]
  ? [ActionOn] extends [Nameable]
    ? true
    : false
  : false = true

t.test('each part of an event is a variable, and nothing else is', async (t) => {
  t.ok(names)
  const time = '2026-11-21T10:00:00.000Z'
  const event: ActedEvent = {
    ...{ time, event: 'granted', door: 'ssh', source: 'fd00::1', by: 'knock', expiresIn: 600 },
    ...{ stage: 1, of: 1, user: 'ana' },
  }
  const { variables, document } = tellOf(event, 'knock')
  t.strictSame(variables, {
    ...{ KNOCK_TIME: time, KNOCK_EVENT: 'granted', KNOCK_TABLE: 'knock', KNOCK_DOOR: 'ssh' },
    ...{ KNOCK_SOURCE: 'fd00::1', KNOCK_BY: 'knock', KNOCK_EXPIRES_IN: '600', KNOCK_STAGE: '1' },
    ...{ KNOCK_OF: '1', KNOCK_USER: 'ana' },
  })
  t.strictSame(JSON.parse(document), { ...event, table: 'knock' })
  t.match(document, /^\{"time":"[^"]*","event":"granted","table":"knock",/)
  t.strictSame(tellOf({ time, event: 'overrun' }, 'knock').variables, {
    ...{ KNOCK_TIME: time, KNOCK_EVENT: 'overrun', KNOCK_TABLE: 'knock' },
  })
})
