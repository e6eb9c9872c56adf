// What `Knock.watch` is given, and what it gives.
import t from 'tap'
import { watchedTable } from '../../integration/fixtures/watched.js'
import { FakeNft } from '../kernel/fake.js'
import { KnockWatcher } from './watcher.js'

const { place } = await watchedTable()
const unnamed = { ...place, nft: new FakeNft() }

t.test('a length of the queue that is no whole number from 1 is refused', async (t) => {
  for (const queue of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => new KnockWatcher(place, { queue }), {
      name: 'ArgumentError',
      message: `watch: queue: expected a whole number from 1, got ${queue}`,
    })
  }
})

t.test('a table that cannot be watched is an error for the consumer, once', async (t) => {
  const watcher = new KnockWatcher(unnamed, {})
  await t.rejects(watcher.ready, { code: 'not-found' })
  await t.rejects(
    (async () => {
      for await (const _ of watcher) t.fail('nothing happens there')
    })(),
    { code: 'not-found' },
  )
  t.same(await watcher.next(), { done: true, value: undefined }, 'once')
  new KnockWatcher(unnamed, { queue: 1 })
  await new Promise((resolve) => setTimeout(resolve, 20))
})

t.test('a watcher that was aborted or left has no events', async (t) => {
  const done = { done: true, value: undefined }
  const aborted = new KnockWatcher(place, { signal: AbortSignal.abort() })
  await aborted.ready
  t.same(await aborted.next(), done)
  const watcher = new KnockWatcher(place, { signal: AbortSignal.abort() })
  await watcher[Symbol.asyncDispose]()
  t.same(await watcher.next(), done)
})
