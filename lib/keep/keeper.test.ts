// A keeper and a table that is gone, altered or read late → what is put back, and what is said.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { gone, granted, start } from '../../integration/fixtures/kept.js'
import { NftError } from '../errors.js'

t.test('a missing table is put back with the reported grants', async (t) => {
  const { clock, news, find, ensured, end } = start()
  news.emit(granted('203.0.113.7'))
  news.emit(gone)
  await clock.pass(50)
  t.equal(ensured.length, 1)
  t.match(ensured[0]?.grants, [{ door: 'ssh', source: '203.0.113.7' }])
  t.match(find('restored'), [{ was: 'gone', grants: 1 }])
  await end()
})

t.test('used tokens are known before tokens are loaded', async (t) => {
  const done: string[] = []
  const found: { tokens: number; isCertain: boolean }[] = []
  const { clock, news, end } = start({
    refillEvery: 3600,
    async putBack({ tokens }) {
      done.push(`shut, ${tokens.length} used`)
      return true
    },
    async ensure({ tokens }, { isCertain }) {
      done.push('loaded')
      found.push({ tokens: tokens.length, isCertain })
      return 'unchanged'
    },
  })
  await clock.pass(30)
  const [token, other] = ['ab'.repeat(16), 'cd'.repeat(16)]
  news.queued.push({ event: granted('203.0.113.7'), token })
  news.emit(gone)
  await clock.pass(100)
  t.strictSame(
    done,
    ['shut, 0 used', 'loaded'],
    'the doors are shut first, whatever is not known yet',
  )
  t.strictSame(
    found,
    [{ tokens: 1, isCertain: true }],
    'tokens reported after the flush are known for certain',
  )
  news.isSettled = false
  news.emit(gone)
  await clock.pass(100)
  t.equal(found[1]?.isCertain, false, 'without events the used tokens are not certain')
  news.isSettled = true
  await clock.pass(1000)
  news.emit({ event: 'overrun', time: '', lost: 1 })
  news.queued.push({ event: granted('203.0.113.8'), token: other })
  news.emit(gone)
  await clock.pass(100)
  t.strictSame(
    found[2],
    { tokens: 2, isCertain: false },
    'with lost events the used tokens are not certain',
  )
  await end()
})

t.test('an intact table causes no event', async (t) => {
  const { clock, news, events, end } = start({ ensure: async () => 'unchanged' })
  news.emit({ event: 'installed', time: '' })
  await clock.pass(50)
  t.strictSame(
    events.map(({ event }) => event),
    ['watching', 'installed'],
  )
  await end()
})

t.test('events during a put-back cause one more check', async (t) => {
  const clock = new FakeClock()
  let running = 0
  let most = 0
  let count = 0
  const { news, end } = start({
    clock,
    putBack: async () => false,
    async ensure() {
      running += 1
      count += 1
      most = Math.max(most, running)
      await clock.pause(60)
      running -= 1
      return 'changed'
    },
  })
  for (let i = 0; i < 5; i += 1) {
    news.emit(gone)
    await clock.pass(5)
  }
  await clock.pass(200)
  t.equal(most, 1, 'never two checks run at once')
  t.equal(count, 2)
  await end()
})

t.test('used tokens are not certain if the table is removed during a repair', async (t) => {
  const clock = new FakeClock()
  const stale: boolean[] = []
  const { news, end } = start({
    clock,
    async ensure(_, { isStale }) {
      await clock.pause(50)
      stale.push(isStale())
      return 'unchanged'
    },
  })
  news.emit({ event: 'installed', time: '' })
  await clock.pass(20)
  news.emit(gone)
  await clock.pass(100)
  t.strictSame(stale, [true, false], 'the table is checked once more')
  await end()
})

t.test('a failure is reported and tried again', async (t) => {
  let tries = 0
  const { clock, news, find, end } = start({
    putBack: async () => false,
    async ensure() {
      tries += 1
      if (tries === 1) throw new NftError('rejected', 'installKnock: no')
      return 'changed'
    },
  })
  news.emit(gone)
  await clock.pass(100)
  t.match(find('failed'), [{ what: 'install', message: 'installKnock: no' }])
  await clock.pass(1400)
  t.equal(tries, 2)
  t.equal(find('restored').length, 1)
  await end()
})

t.test('repeated changes by others are reported', async (t) => {
  const { clock, news, find, end } = start({ ensure: async () => 'changed' })
  for (let i = 0; i < 5; i += 1) {
    news.emit({ event: 'installed', time: '' })
    await clock.pass(30)
  }
  t.equal(find('restored').length, 5, 'the table is still put back each time')
  t.match(find('failed'), [{ what: 'contested', message: /look for another knocklib run/ }])
  t.equal(find('failed').length, 1)
  await end()
})

t.test('a table that was removed without an event is found by listing', async (t) => {
  let listings = 0
  const { clock, find, ensured, end } = start({
    async save() {
      listings += 1
      throw new NftError('not-found', 'save: not there')
    },
  })
  await clock.pass(100)
  t.equal(listings, 1)
  t.equal(ensured.length, 1)
  t.strictSame(find('failed'), [])
  await end()
})

t.test('chains removed without an event are found by two listings', async (t) => {
  let [isWhole, isOnceWrong, looks] = [true, false, 0]
  let ensures = 0
  const { clock, find, end } = start({
    isWhole() {
      looks += 1
      if (!isOnceWrong) return isWhole
      isOnceWrong = false
      return false
    },
    async ensure() {
      ensures += 1
      isWhole = true
      return 'changed'
    },
  })
  await clock.pass(100)
  isOnceWrong = true
  await clock.pass(1200)
  t.equal(looks, 3, 'a table that looks altered is listed again')
  t.equal(ensures, 0, 'one wrong listing causes no repair')
  isWhole = false
  await clock.pass(1200)
  t.equal(ensures, 1)
  const [restored] = find('restored') as { was: string; took: number; open: number }[]
  t.equal(restored?.was, 'altered')
  t.equal(restored?.took, 0, 'the event has the milliseconds since the change was seen')
  t.equal(restored?.open, 1000, 'the event has the milliseconds since the table was seen whole')
  await end()
})

t.test('a table that was made anew before its removal was reported', async (t) => {
  let [made, goOn] = [0, () => {}]
  const { clock, news, find, restored, end } = start({
    putBack: async () => false,
    async ensure() {
      if (made > 0) return 'unchanged'
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      made += 1
      return 'made'
    },
  })
  news.emit({ event: 'installed', time: '' })
  await clock.pass(50)
  news.emit(granted('203.0.113.7'))
  news.emit(gone)
  await clock.pass(50)
  goOn()
  await clock.pass(100)
  t.match(find('restored'), [{ was: 'gone' }], 'the removal is reported once')
  t.match(
    restored,
    [{ grants: [{ source: '203.0.113.7' }] }],
    'the new table has the grants of the meantime',
  )
  await end()
})
