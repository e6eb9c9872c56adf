// Records that wait, and the word of those that did not fit.
import t from 'tap'
import type { TableRecord } from '../view/known-state.js'
import { RecordQueue } from './queue.js'

const TIME = '2026-01-01T00:00:00.000Z'
const record = (source: number): TableRecord => ({
  event: { time: TIME, event: 'wrong', door: 'ssh', source: String(source) },
})
const overrun = (lost?: number): TableRecord => ({
  event: { time: TIME, event: 'overrun', ...(lost !== undefined && { lost }) },
})
const queueOf = (most: number) => new RecordQueue(most, () => Date.parse(TIME))

/** As many as there are. */
async function take(queue: RecordQueue, count: number): Promise<(TableRecord | undefined)[]> {
  const taken: (TableRecord | undefined)[] = []
  for (let n = 0; n < count; n += 1) taken.push((await queue.next()).value)
  return taken
}

t.test('records come in order, whether they are asked for before or after', async (t) => {
  const queue = queueOf(10)
  const early = [queue.next(), queue.next()]
  t.ok(queue.isAsked)
  for (const n of [1, 2, 3, 4]) queue.push(record(n))
  t.notOk(queue.isAsked)
  t.same(
    (await Promise.all(early)).map(({ value }) => value),
    [record(1), record(2)],
  )
  t.same(await take(queue, 2), [record(3), record(4)])
})

t.test('when the queue is full, the newest are dropped and counted in their place', async (t) => {
  const queue = queueOf(3)
  for (const n of [1, 2, 3, 4, 5]) queue.push(record(n))
  t.same(await take(queue, 2), [record(1), record(2)])
  queue.push(record(6))
  for (const n of [7, 8]) queue.push(record(n))
  t.same(await take(queue, 4), [record(3), overrun(2), record(6), overrun(2)])
  queue.push(record(9))
  t.same(await take(queue, 1), [record(9)], 'and goes on')
})

t.test('losses that are reported to the queue are added up in their place', async (t) => {
  const queue = queueOf(10)
  queue.lose(3)
  queue.lose(4)
  queue.push(record(1))
  queue.lose(undefined)
  queue.lose(5)
  t.same(await take(queue, 3), [overrun(7), record(1), overrun()], 'a number and none are none')
  const next = queue.next()
  queue.lose(1)
  t.same((await next).value, overrun(1))
  queue.push(record(2))
  queue.lose(1)
  t.same(await take(queue, 2), [record(2), overrun(1)])
})

t.test('a failure comes once, after the records that wait', async (t) => {
  const queue = queueOf(10)
  queue.push(record(1))
  queue.fail(new Error('gone'))
  queue.push(record(2))
  queue.lose(1)
  t.ok(queue.hasFailed)
  t.same(await take(queue, 1), [record(1)])
  await t.rejects(queue.next(), { message: 'gone' })
  t.same(await queue.next(), { done: true, value: undefined })

  const asked = queueOf(10)
  const [first, second] = [asked.next(), asked.next()]
  asked.fail(new Error('gone'))
  await t.rejects(first, { message: 'gone' })
  t.same(await second, { done: true, value: undefined })
})

t.test('an end drops the records that wait', async (t) => {
  const queue = queueOf(10)
  queue.push(record(1))
  queue.end()
  queue.push(record(2))
  t.same(await queue.next(), { done: true, value: undefined })
  const asked = queueOf(10)
  const next = asked.next()
  asked.end()
  t.same(await next, { done: true, value: undefined })
})
