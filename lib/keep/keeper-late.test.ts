// News that a keeper hears late → what becomes of the table that stands by then.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { gone, granted, News, start } from '../../integration/fixtures/kept.js'
import { NftError } from '../errors.js'
import type { KnockEvent } from '../view/event.js'

t.test('puts back what is heard late', async (t) => {
  const { news, ensured, restored, stop, ended } = start()
  news.emit(gone)
  await sleep(30)
  t.equal(ensured.length, 1)
  for (let i = 1; i < 10; i += 1) news.emit(granted(`203.0.113.${i}`))
  await sleep(100)
  t.equal(restored.length, 1, 'gathered')
  t.equal(restored[0]?.grants.length, 9)
  await sleep(2000)
  news.emit(granted('203.0.113.99'))
  await sleep(100)
  t.equal(restored.length, 1, 'what is reported later is there by itself')
  stop()
  await ended
})

t.test('closes what is heard late', async (t) => {
  const { news, closed, restored, stop, ended } = start()
  const shut = (source: string): KnockEvent => {
    return { event: 'closed', time: '', door: 'ssh', source, by: 'knock' }
  }
  news.emit(granted('203.0.113.1'))
  news.emit(granted('203.0.113.2'))
  await sleep(30)
  news.emit(gone)
  await sleep(30)
  news.emit(shut('203.0.113.1'))
  news.emit(shut('203.0.113.2'))
  news.emit(granted('203.0.113.2'))
  await sleep(100)
  t.strictSame(closed, ['203.0.113.1'])
  t.strictSame(
    restored[0]?.grants.map(({ source }) => source),
    ['203.0.113.2'],
  )
  stop()
  await ended
})

t.test('one piece of late news that fails does not lose the others', async (t) => {
  const closed: string[] = []
  const { news, restored, stop, ended } = start({
    async close({ door, source }) {
      if (door !== 'ssh') throw new NftError('not-found', `door: no door ${door}`)
      closed.push(source)
    },
  })
  const shut = (door: string, source: string): KnockEvent => {
    return { event: 'closed', time: '', door, source, by: 'knock' }
  }
  news.emit(gone)
  await sleep(30)
  news.emit(shut('another', '203.0.113.1'))
  news.emit(shut('ssh', '203.0.113.2'))
  news.emit(granted('203.0.113.3'))
  await sleep(100)
  t.strictSame(closed, ['203.0.113.2'])
  t.match(restored, [{ grants: [{ source: '203.0.113.3' }] }])
  stop()
  await ended
})

t.test('watching is not said while packets are not heard', async (t) => {
  const deaf = new News()
  deaf.isDeaf = true
  const one = start({ records: (options) => deaf.records(options) })
  const other = start()
  await sleep(50)
  t.equal(one.find('watching').length, 0)
  t.equal(other.find('watching').length, 1)
  for (const { stop, ended } of [one, other]) {
    stop()
    await ended
  }
})

t.test('loads ahead anew when it is time', async (t) => {
  let refills = 0
  const { find, stop, ended } = start({
    refillEvery: 0.2,
    async ensure() {
      refills += 1
      return 'unchanged'
    },
  })
  await sleep(900)
  t.ok(refills >= 3, `${refills} refills`)
  t.strictSame(find('restored'), [])
  stop()
  await ended
})

t.test('of what was put back, only what is reported late is put there again', async (t) => {
  const { news, restored, stop, ended } = start()
  news.emit(granted('203.0.113.1'))
  news.emit(gone)
  await sleep(30)
  news.emit(granted('203.0.113.2'))
  await sleep(100)
  t.strictSame(
    restored[0]?.grants.map(({ source }) => source),
    ['203.0.113.2'],
    'the other one may have been used up since',
  )
  stop()
  await ended
})

t.test(
  'what is reported late while more is put back, or could not be, is not forgotten',
  async (t) => {
    const restored: string[][] = []
    const { news, find, stop, ended } = start({
      async restore({ grants }) {
        restored.push(grants.map(({ source }) => source))
        await sleep(150)
        if (restored.length === 1) throw new NftError('timed-out', 'restore: busy')
      },
    })
    news.emit(gone)
    await sleep(30)
    news.emit(granted('203.0.113.1'))
    await sleep(80)
    news.emit(granted('203.0.113.2'))
    await sleep(1500)
    t.strictSame(restored, [['203.0.113.1'], ['203.0.113.1', '203.0.113.2']])
    t.match(find('failed'), [{ what: 'install', message: 'restore: busy' }])
    stop()
    await ended
  },
)
