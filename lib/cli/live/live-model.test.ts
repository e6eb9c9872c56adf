// Statuses and events as they come → who is where, at which time.
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { DoorStatus, KnockEvent, Status } from '../../index.js'
import {
  addEvent,
  addEvents,
  correctModel,
  emptyModel,
  failToRead,
  type LiveModel,
  modelAt,
} from './live-model.js'

const NOW = Date.parse('2026-01-02T03:04:05.000Z')
const none = { knocks: 0, grants: 0, closes: 0, resets: 0, wrong: 0, denied: 0 }
const ana = '203.0.113.7'
const bob = '2001:db8::7'

const statusOf = (ssh: Partial<DoorStatus> = {}, more: Partial<Status> = {}): Status => ({
  table: 'knock',
  doors: [
    {
      ...{
        name: 'ssh',
        service: ['tcp/22'],
        openFor: 30,
        grants: [],
        progress: [],
        counters: none,
      },
      ...ssh,
    },
  ],
  ...{ bans: [], counters: { bans: 0, ignored: 0, repeated: 0, unlogged: 0 }, fill: [], ...more },
})

/** So many seconds after the beginning, at the door of ssh unless it says another. */
type Heard = KnockEvent extends infer E
  ? E extends KnockEvent
    ? Omit<E, 'time' | 'door'>
    : never
  : never
const hear = (model: LiveModel, second: number, event: Heard): LiveModel => {
  const time = new Date(NOW + 1000 * second).toISOString()
  return addEvent(model, { door: 'ssh', ...event, time } as KnockEvent)
}
const start = (status = statusOf()) => correctModel(emptyModel('knock'), status, NOW)
const sshAt = (model: LiveModel, second: number) => {
  const [door] = modelAt(model, NOW + 1000 * second).doors
  return { grants: door?.grants, progress: door?.progress }
}
const progress = (source: string, stage: number, expiresIn?: number) => {
  return { source, stage, of: 3, ...(expiresIn !== undefined && { expiresIn }) }
}

t.test('countdowns go on and end between two readings', async (t) => {
  const model = start(
    statusOf({ grants: [{ source: ana, expiresIn: 3 }], progress: [progress(bob, 1, 1) as never] }),
  )
  t.same(sshAt(model, 0), {
    grants: [{ source: ana, expiresIn: 3 }],
    progress: [progress(bob, 1, 1)],
  })
  t.same(sshAt(model, 1.9), {
    grants: [{ source: ana, expiresIn: 1 }],
    progress: [progress(bob, 1, 0)],
  })
  t.same(sshAt(model, 2), { grants: [{ source: ana, expiresIn: 1 }], progress: [] })
  t.same(
    sshAt(model, 3.9).grants,
    [{ source: ana, expiresIn: 0 }],
    'a listed time of whole seconds lasts up to one second more',
  )
  t.same(sshAt(model, 4).grants, [])
})

t.test('an attempt moves through its stages and is let in', async (t) => {
  let model = hear(start(), 1, { event: 'knock', source: ana, stage: 1, of: 3 })
  t.same(sshAt(model, 1).progress, [progress(ana, 1)])
  model = hear(model, 2, { event: 'knock', source: ana, stage: 2, of: 3 })
  t.same(sshAt(model, 2).progress, [progress(ana, 2)])
  const granted = hear(model, 3, { event: 'granted', source: ana, by: 'knock', expiresIn: 30 })
  t.same(sshAt(granted, 4), { grants: [{ source: ana, expiresIn: 29 }], progress: [] })
  t.same(sshAt(hear(granted, 5, { event: 'expired', source: ana }), 5).grants, [])
  t.same(sshAt(hear(granted, 5, { event: 'closed', source: ana, by: 'use' }), 5).grants, [])
  const again = hear(granted, 5, { event: 'granted', source: ana, by: 'call', expiresIn: 60 })
  t.same(sshAt(again, 5).grants, [{ source: ana, expiresIn: 60 }], 'the grant is renewed')
  const closing = hear(granted, 5, { event: 'knock', source: ana, stage: 1, of: 2 })
  t.same(sshAt(closing, 5).progress, [], 'a source with a grant has no attempt')
  const reset = hear(model, 3, { event: 'reset', source: ana, stage: 2, of: 3 })
  t.same(sshAt(reset, 3).progress, [])
  t.same(sshAt(hear(model, 3, { event: 'denied', source: ana }), 3).progress, [progress(ana, 2)])
  t.same(sshAt(model, 30).progress, [], 'an attempt ends by its time without an event')
})

t.test('a status corrects what events did not report', async (t) => {
  const model = hear(start(), 1, { event: 'knock', source: ana, stage: 1, of: 3 })
  const read = correctModel(
    model,
    statusOf({ progress: [progress(ana, 2, 4) as never] }),
    NOW + 2000,
  )
  t.same(sshAt(read, 2).progress, [progress(ana, 2, 4)])
  t.same(sshAt(correctModel(model, statusOf(), NOW + 2000), 2).progress, [])
})

t.test('a status requested before an event does not undo the event', async (t) => {
  let model = hear(start(), 2, { event: 'granted', source: ana, by: 'knock', expiresIn: 30 })
  model = hear(model, 3, { event: 'knock', source: bob, stage: 1, of: 3 })
  const before = correctModel(model, statusOf(), NOW + 1500)
  t.same(sshAt(before, 3), {
    grants: [{ source: ana, expiresIn: 29 }],
    progress: [progress(bob, 1)],
  })
  const between = statusOf({ progress: [progress(bob, 1, 4) as never] })
  const timed = correctModel(model, between, NOW + 1500)
  t.same(
    sshAt(timed, 3).progress,
    [progress(bob, 1, 2)],
    'the remaining time comes from the status',
  )
  t.same(sshAt(correctModel(model, statusOf(), NOW + 4000), 4).grants, [])
})

t.test('an exact end is not replaced by one in whole seconds', async (t) => {
  const model = hear(start(), 0.9, { event: 'granted', source: ana, by: 'knock', expiresIn: 30 })
  const read = statusOf({ grants: [{ source: ana, expiresIn: 28 }] })
  t.equal(sshAt(correctModel(model, read, NOW + 2000), 2).grants?.[0]?.expiresIn, 28)
  t.equal(correctModel(model, read, NOW + 2000).doors[0]?.grants[0]?.until, NOW + 30_900)
  const renewed = statusOf({ grants: [{ source: ana, expiresIn: 30 }] })
  t.equal(correctModel(model, renewed, NOW + 9000).doors[0]?.grants[0]?.until, NOW + 39_000)
})

t.test('penalties count down, and used-up grants get older until the next grant', async (t) => {
  const penalised = [{ source: bob, knock: 'open' as const, expiresIn: 3 }]
  const model = start(statusOf({ penalised, usedUp: [{ source: ana, ago: 10 }] }))
  const at = (known: LiveModel, second: number) => {
    const [door] = modelAt(known, NOW + 1000 * second).doors
    return [door?.penalised, door?.usedUp]
  }
  t.same(at(model, 2), [[{ ...penalised[0], expiresIn: 1 }], [{ source: ana, ago: 12 }]])
  t.same(at(model, 5), [[], [{ source: ana, ago: 15 }]])
  const granted = { event: 'granted', source: ana, by: 'call', expiresIn: 30 } as const
  t.same(at(hear(model, 3, granted), 4)[1], [])
  t.same(
    at(correctModel(model, statusOf(), NOW + 4000), 4),
    [[], []],
    'a status corrects penalties and used-up grants',
  )
})

t.test('the user of a token comes from a status or an event', async (t) => {
  const token = { user: 'ann', ago: 5 }
  const model = start(statusOf({ grants: [{ source: ana, expiresIn: 30, token }] }))
  t.same(sshAt(model, 2).grants, [{ source: ana, expiresIn: 28, token: { user: 'ann', ago: 7 } }])
  const granted = { event: 'granted', source: bob, by: 'knock', user: 'bob', expiresIn: 30 }
  const now = hear(model, 3, { ...granted, stage: 1, of: 1 } as Heard)
  t.same(sshAt(now, 4).grants?.[1], {
    ...{ source: bob, expiresIn: 29, token: { user: 'bob', ago: 1 } },
  })
})

t.test('bans, confirmations, and removed and new tables are shown', async (t) => {
  const ban = { source: bob, expiresIn: 60 }
  const model = start(statusOf({}, { bans: [ban], confirm: { expiresIn: 9 } }))
  const banned = hear(model, 1, { event: 'banned', source: ana })
  t.same(modelAt(banned, NOW + 2000).bans, [{ ...ban, expiresIn: 58 }, { source: ana }])
  t.same(modelAt(model, NOW + 4000).confirm, { expiresIn: 5 })
  t.same(modelAt(model, NOW + 10_000).confirm, { fallenOpen: true })
  t.equal('confirm' in modelAt(correctModel(model, statusOf(), NOW), NOW), false)
  const gone = hear(model, 1, { event: 'removed' })
  t.match(gone, { isGone: true, doors: [], bans: [] })
  t.equal(hear(gone, 2, { event: 'installed' }).isGone, false)
  const back = correctModel(hear(gone, 2, { event: 'installed' }), statusOf(), NOW + 2000)
  t.match(back, { isGone: false, doors: [{ name: 'ssh' }] })
})

t.test('repeated events are counted, losses added, and the last 500 events kept', async (t) => {
  const denied = { event: 'denied', source: ana, service: 'tcp/22' } as const
  let model = hear(hear(hear(start(), 1, denied), 2, denied), 3, { event: 'wrong', source: ana })
  t.same(
    model.events.map(({ event, times }) => [event.event, times, event.time.slice(17, 19)]),
    [
      ['denied', 2, '07'],
      ['wrong', 1, '08'],
    ],
  )
  model = hear(hear(model, 4, { event: 'overrun', lost: 12 }), 5, { event: 'overrun' })
  t.same(model.overruns, { times: 2, lost: 12 })
  for (let n = 0; n < 600; n += 1) {
    model = hear(model, 6, { event: 'knock', source: `10.0.0.${n}`, stage: 1, of: 3 })
  }
  t.equal(model.events.length, 500)
  t.match(model.events.at(-1)?.event, { source: '10.0.0.599' })
})

/** Does work; returns its result, and the microseconds of processor time that it took. */
function measure<T>(work: () => T): { result: T; cost: number } {
  const begun = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(begun)
  return { result, cost: user + system }
}

t.test('very many attempts and many events at once take little time', async (t) => {
  const sources = Array.from({ length: 65_536 }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
  const many = sources.map((source) => progress(source, 1, 30) as never)
  const few = measure(() => start(statusOf({ progress: many.slice(0, 4096) })))
  const begun = measure(() => start(statusOf({ progress: many })))
  t.ok(begun.cost < 80 * few.cost, `65536 sources: ${begun.cost} µs, 4096: ${few.cost} µs`)
  const model = begun.result
  const events = sources.slice(0, 1000).map((source, n): KnockEvent => {
    const time = new Date(NOW + 1000 + n).toISOString()
    return { time, event: 'knock', door: 'ssh', source, stage: 2, of: 3 }
  })
  const [first, ...others] = events as [KnockEvent, ...KnockEvent[]]
  const one = measure(() => addEvent(model, first))
  const all = measure(() => addEvents(model, events))
  t.ok(all.cost < 100 * one.cost, `a thousand events: ${all.cost} µs, one: ${one.cost} µs`)
  const full = statusOf({ progress: many })
  const { result: heard, cost } = measure(() => correctModel(all.result, full, NOW + 5000))
  t.ok(cost < 30 * begun.cost, `a second status: ${cost} µs, the first: ${begun.cost} µs`)
  t.equal(sshAt(heard, 2).progress?.length, 65_536)
  const last = all.result
  t.same(sshAt(last, 2).progress?.at(-1), progress('10.0.3.231', 2))
  t.equal(sshAt(last, 2).progress?.length, 65_536)
  const split = addEvents(one.result, others)
  t.ok(isDeepStrictEqual(split, last), 'the result is the same in two parts')
  const removed: KnockEvent = { time: first.time, event: 'removed' }
  t.match(addEvents(model, [first, removed]), { isGone: true, doors: [] })
})

t.test('a failed status changes nothing', async (t) => {
  const failed = failToRead(start(), 'nft is missing')
  t.match(failed, { problem: 'nft is missing', readAt: NOW, doors: [{ name: 'ssh' }] })
  t.equal(correctModel(failed, statusOf(), NOW).problem, undefined)
})
