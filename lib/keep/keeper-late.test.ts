// News that a keeper hears late → what becomes of the table that stands by then.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { gone, granted, News, start } from '../../integration/fixtures/kept.js'
import { NftError } from '../errors.js'
import type { KnockEvent } from '../view/event.js'

t.test('grants of late events are put back', async (t) => {
  const { clock, news, ensured, restored, end } = start()
  news.emit(gone)
  await clock.pass(30)
  t.equal(ensured.length, 1)
  for (let i = 1; i < 10; i += 1) {
    news.emit(granted(`203.0.113.${i}`))
    await clock.pass(1)
  }
  await clock.pass(100)
  t.equal(restored.length, 1, 'late events are put back together')
  t.equal(restored[0]?.grants.length, 9)
  await clock.pass(2000)
  news.emit(granted('203.0.113.99'))
  await clock.pass(100)
  t.equal(restored.length, 1, 'a grant reported later is in the new table already')
  await end()
})

t.test('grants closed by late events are closed', async (t) => {
  const { clock, news, closed, restored, end } = start()
  const shut = (source: string): KnockEvent => {
    return { event: 'closed', time: '', door: 'ssh', source, by: 'knock' }
  }
  news.emit(granted('203.0.113.1'))
  news.emit(granted('203.0.113.2'))
  await clock.pass(30)
  news.emit(gone)
  await clock.pass(30)
  news.emit(shut('203.0.113.1'))
  news.emit(shut('203.0.113.2'))
  news.emit(granted('203.0.113.2'))
  await clock.pass(100)
  t.strictSame(closed, ['203.0.113.1'])
  t.strictSame(
    restored[0]?.grants.map(({ source }) => source),
    ['203.0.113.2'],
  )
  await end()
})

t.test('a failed late event does not lose the others', async (t) => {
  const closed: string[] = []
  const { clock, news, restored, end } = start({
    async close({ door, source }) {
      if (door !== 'ssh') throw new NftError('not-found', `door: no door ${door}`)
      closed.push(source)
    },
  })
  const shut = (door: string, source: string): KnockEvent => {
    return { event: 'closed', time: '', door, source, by: 'knock' }
  }
  news.emit(gone)
  await clock.pass(30)
  news.emit(shut('another', '203.0.113.1'))
  news.emit(shut('ssh', '203.0.113.2'))
  news.emit(granted('203.0.113.3'))
  await clock.pass(100)
  t.strictSame(closed, ['203.0.113.2'])
  t.match(restored, [{ grants: [{ source: '203.0.113.3' }] }])
  await end()
})

t.test('watching is not reported while packet events are missing', async (t) => {
  const clock = new FakeClock()
  const deaf = new News(clock)
  deaf.isDeaf = true
  const one = start({ clock, records: (options) => deaf.records(options) })
  const other = start({ clock })
  await clock.pass(50)
  t.equal(one.find('watching').length, 0)
  t.equal(other.find('watching').length, 1)
  for (const { end } of [one, other]) await end()
})

t.test('tokens are loaded ahead when it is time', async (t) => {
  let refills = 0
  const { clock, find, end } = start({
    refillEvery: 0.2,
    async ensure() {
      refills += 1
      return 'unchanged'
    },
  })
  await clock.pass(900)
  t.equal(refills, 4)
  t.strictSame(find('restored'), [])
  await end()
})

t.test('after a second flush only grants reported late are put back again', async (t) => {
  const { clock, news, restored, end } = start()
  news.emit(granted('203.0.113.1'))
  news.emit(gone)
  await clock.pass(30)
  news.emit(granted('203.0.113.2'))
  await clock.pass(100)
  t.strictSame(
    restored[0]?.grants.map(({ source }) => source),
    ['203.0.113.2'],
    'the other grant may have been used up since',
  )
  await end()
})

t.test('late events during or after a failed put-back are not forgotten', async (t) => {
  const clock = new FakeClock()
  const restored: string[][] = []
  const { news, find, end } = start({
    clock,
    async restore({ grants }) {
      restored.push(grants.map(({ source }) => source))
      await clock.pause(150)
      if (restored.length === 1) throw new NftError('timed-out', 'restore: busy')
    },
  })
  news.emit(gone)
  await clock.pass(30)
  news.emit(granted('203.0.113.1'))
  await clock.pass(80)
  news.emit(granted('203.0.113.2'))
  await clock.pass(1500)
  t.strictSame(restored, [['203.0.113.1'], ['203.0.113.1', '203.0.113.2']])
  t.match(find('failed'), [{ what: 'install', message: 'restore: busy' }])
  await end()
})
