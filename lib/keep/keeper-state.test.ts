// What a keeper writes to its file, and when.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { granted, News, NOTHING, settled, start } from '../../integration/fixtures/kept.js'
import { NftError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { TableRecord } from '../view/known-state.js'

t.test('writes what has changed, soon, and once more at the end', async (t) => {
  const written: KnockState[] = []
  const { news, stop, ended } = start({
    async write(state) {
      written.push(state)
    },
  })
  await sleep(300)
  t.equal(written.length, 1, 'at the start, and nothing has changed')
  for (let i = 1; i < 20; i += 1) news.emit(granted(`203.0.113.${i}`))
  await sleep(400)
  t.equal(written.length, 2, 'a burst is one file')
  t.equal(written[1]?.grants.length, 19)
  stop()
  await ended
  t.equal(written.length, 3)
})

t.test(
  'a file that cannot be written ends nothing; it is reported at the start and at the end',
  async (t) => {
    let tries = 0
    const { news, find, stop, ended } = start({
      async write() {
        tries += 1
        throw new Error('disk full')
      },
    })
    await sleep(300)
    t.match(find('failed'), [{ what: 'save', message: 'disk full' }])
    news.emit(granted('203.0.113.7'))
    await sleep(1200)
    t.ok(tries >= 2, 'it is tried again, though nothing changes')
    t.equal(find('failed').length, 1, 'and not told again')
    stop()
    await ended
    t.equal(find('failed').length, 2)
  },
)

t.test('a file that can be written again, and then cannot', async (t) => {
  let isFull = true
  let tries = 0
  const { news, find, stop, ended } = start({
    async write() {
      tries += 1
      if (isFull) throw new Error('disk full')
    },
  })
  await sleep(300)
  isFull = false
  await sleep(1200)
  t.equal(tries, 2)
  isFull = true
  news.emit(granted('203.0.113.7'))
  await sleep(300)
  t.equal(find('failed').length, 2)
  isFull = false
  stop()
  await ended
  t.equal(find('failed').length, 2, 'the last one is saved')
})

t.test('a file that could not be written is written later', async (t) => {
  const written: KnockState[] = []
  let tries = 0
  const { news, stop, ended } = start({
    async write(state) {
      tries += 1
      if (tries === 1) throw new Error('disk full')
      written.push(state)
    },
  })
  news.emit(granted('203.0.113.7'))
  await sleep(3000)
  t.match(written, [{ grants: [{ source: '203.0.113.7' }] }])
  stop()
  await ended
})

t.test('rejects where nothing can be watched', async (t) => {
  const failure = new NftError('not-permitted', 'watch: no')
  const { ended } = start({
    records() {
      const none = async function* (): AsyncGenerator<TableRecord> {
        yield* []
        throw failure
      }
      return Object.assign(none(), { ready: Promise.reject(failure), isDeaf: false, settled })
    },
  })
  await t.rejects(ended, failure)
})

t.test('a table that is gone as the watch begins is put back, and watched anew', async (t) => {
  let watches = 0
  const failure = new NftError('not-found', 'watch: not there')
  const news = new News()
  const { find, ensured, stop, ended } = start({
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
  await sleep(100)
  t.equal(ensured.length, 1)
  t.equal(watches, 2)
  news.emit(granted('203.0.113.7'))
  await sleep(20)
  t.equal(find('granted').length, 1)
  stop()
  await ended
})

t.test('what is not known yet is not written over what was', async (t) => {
  const written: KnockState[] = []
  let list = () => {}
  const { news, stop, ended } = start({
    save: () =>
      new Promise((resolve) => {
        list = () => resolve({ ...NOTHING, saved: new Date(Date.now()).toISOString() })
      }),
    async write(state) {
      written.push(state)
    },
  })
  news.emit(granted('203.0.113.7'))
  await sleep(300)
  t.strictSame(written, [], 'the first listing is not there yet')
  list()
  await sleep(300)
  t.match(written, [{ grants: [{ source: '203.0.113.7' }] }])
  stop()
  await sleep(50)
  list()
  await ended
  t.equal(written.length, 2)
})

t.test('a file stays as it is where nothing was ever listed', async (t) => {
  const written: KnockState[] = []
  const { news, find, stop, ended } = start({
    save: () => Promise.reject(new NftError('timed-out', 'save: too long')),
    async write(state) {
      written.push(state)
    },
  })
  news.emit(granted('203.0.113.7'))
  await sleep(200)
  stop()
  await ended
  t.strictSame(written, [])
  t.match(find('failed').at(-1), { what: 'list', message: 'save: too long' })
})
