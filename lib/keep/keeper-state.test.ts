// What a keeper writes to its file, and when.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { granted, News, NOTHING, settled, start } from '../../integration/fixtures/kept.js'
import { isoDate } from '../clock/clock.js'
import { NftError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { TableRecord } from '../view/known-state.js'

t.test('a change is written soon, and the state once more at the end', async (t) => {
  const written: KnockState[] = []
  const { clock, news, end } = start({
    async write(state) {
      written.push(state)
    },
  })
  await clock.pass(300)
  t.equal(written.length, 1, 'the state is written once at the start')
  for (let i = 1; i < 20; i += 1) {
    news.emit(granted(`203.0.113.${i}`))
    await clock.pass(5)
  }
  await clock.pass(400)
  t.equal(written.length, 2, 'many changes at once are one write')
  t.equal(written[1]?.grants.length, 19)
  await end()
  t.equal(written.length, 3)
})

t.test('a failed write does not end the keeper, and is reported at start and end', async (t) => {
  let tries = 0
  const { clock, news, find, end } = start({
    async write() {
      tries += 1
      throw new Error('disk full')
    },
  })
  await clock.pass(300)
  t.match(find('failed'), [{ what: 'save', message: 'disk full' }])
  news.emit(granted('203.0.113.7'))
  await clock.pass(1200)
  t.equal(tries, 2, 'the write is tried again although nothing changes')
  t.equal(find('failed').length, 1, 'the failure is not reported again')
  await end()
  t.equal(find('failed').length, 2)
})

t.test('a failure after a successful write is reported again', async (t) => {
  let isFull = true
  let tries = 0
  const { clock, news, find, end } = start({
    async write() {
      tries += 1
      if (isFull) throw new Error('disk full')
    },
  })
  await clock.pass(300)
  isFull = false
  await clock.pass(1200)
  t.equal(tries, 2)
  isFull = true
  news.emit(granted('203.0.113.7'))
  await clock.pass(300)
  t.equal(find('failed').length, 2)
  isFull = false
  await end()
  t.equal(find('failed').length, 2, 'the last state is saved')
})

t.test('a file that could not be written is written later', async (t) => {
  const written: KnockState[] = []
  let tries = 0
  const { clock, news, end } = start({
    async write(state) {
      tries += 1
      if (tries === 1) throw new Error('disk full')
      written.push(state)
    },
  })
  news.emit(granted('203.0.113.7'))
  await clock.pass(3000)
  t.match(written, [{ grants: [{ source: '203.0.113.7' }] }])
  await end()
})

t.test('the keeper rejects if nothing can be watched', async (t) => {
  const failure = new NftError('not-permitted', 'watch: no')
  const { clock, ended } = start({
    records() {
      const none = async function* (): AsyncGenerator<TableRecord> {
        yield* []
        throw failure
      }
      return Object.assign(none(), { ready: Promise.reject(failure), isDeaf: false, settled })
    },
  })
  await t.rejects(clock.passUntil(ended), failure)
})

t.test('a table missing at the start of the watch is put back, and watched anew', async (t) => {
  const clock = new FakeClock()
  let watches = 0
  const failure = new NftError('not-found', 'watch: not there')
  const news = new News(clock)
  const { find, ensured, end } = start({
    clock,
    records(options) {
      watches += 1
      if (watches > 1) return news.records(options)
      const none = async function* (): AsyncGenerator<TableRecord> {
        yield* []
        throw failure
      }
      const ready = Promise.reject(failure)
      return Object.assign(none(), { ready, isDeaf: false, settled })
    },
  })
  await clock.pass(100)
  t.equal(ensured.length, 1)
  t.equal(watches, 2)
  news.emit(granted('203.0.113.7'))
  await clock.pass(20)
  t.equal(find('granted').length, 1)
  await end()
})

t.test('an unknown state does not replace the saved one', async (t) => {
  const clock = new FakeClock()
  const written: KnockState[] = []
  let list = () => {}
  const { news, stop, ended } = start({
    clock,
    save: () =>
      new Promise((resolve) => {
        list = () => resolve({ ...NOTHING, saved: isoDate(clock) })
      }),
    async write(state) {
      written.push(state)
    },
  })
  news.emit(granted('203.0.113.7'))
  await clock.pass(300)
  t.strictSame(written, [], 'nothing is written before the first listing')
  list()
  await clock.pass(300)
  t.match(written, [{ grants: [{ source: '203.0.113.7' }] }])
  stop.abort()
  await clock.pass(50)
  list()
  await clock.passUntil(ended)
  t.equal(written.length, 2)
})

t.test('a file stays as it is if no listing succeeded', async (t) => {
  const written: KnockState[] = []
  const { clock, news, find, end } = start({
    save: () => Promise.reject(new NftError('timed-out', 'save: too long')),
    async write(state) {
      written.push(state)
    },
  })
  news.emit(granted('203.0.113.7'))
  await clock.pass(200)
  await end()
  t.strictSame(written, [])
  t.match(find('failed').at(-1), { what: 'list', message: 'save: too long' })
})
