// A clock that is put right, and a stop, as a keeper sees them.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { gone, granted, NOTHING, settled, start } from '../../integration/fixtures/kept.js'
import { NftError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { TableRecord } from '../view/known-state.js'
import type { TableRecords } from './kept-table.js'

/** Puts the clock forward until the test ends, by so many milliseconds. */
function clockOf(t: Test): (milliseconds: number) => void {
  const real = Date.now
  t.teardown(() => {
    Date.now = real
  })
  return (milliseconds) => {
    Date.now = () => real() + milliseconds
  }
}

function grantedTo(source: string, now: number): KnockState {
  const until = new Date(now + 600_000).toISOString()
  return {
    ...NOTHING,
    saved: new Date(now).toISOString(),
    grants: [{ door: 'ssh', source, until }],
  }
}

t.test('a clock that is put right', async (t) => {
  const putForward = clockOf(t)
  const ensured: KnockState[] = []
  const { news, stop, ended } = start({
    refillEvery: 3600,
    async ensure(state, { isDue }) {
      if (isDue) ensured.push(state)
      return 'unchanged'
    },
  })
  news.emit(granted('203.0.113.1'))
  await sleep(50)
  t.equal(ensured.length, 0)
  putForward(-5 * 3_600_000)
  await sleep(1200)
  t.equal(ensured.length, 1, 'what is good now is loaded')
  const { saved = '', grants = [] } = ensured[0] ?? {}
  const left = Date.parse(grants[0]?.until ?? '') - Date.parse(saved)
  t.ok(left > 590_000 && left <= 600_000, `${left} ms`)
  stop()
  await ended
})

t.test('ends with its readers, and after the listing that is under way', async (t) => {
  const done: string[] = []
  const failure = new NftError('not-permitted', 'watch: no')
  const { ended } = start({
    records() {
      const none = {
        next: () => sleep(50).then(() => Promise.reject(failure)),
        [Symbol.asyncIterator]: () => none,
        return: async () => {
          await sleep(800)
          done.push('readers')
          return { done: true, value: undefined }
        },
      } as AsyncIterableIterator<TableRecord>
      return Object.assign(none, {
        ready: Promise.resolve(),
        isDeaf: false,
        settled,
      }) as TableRecords
    },
    save: async () => {
      await sleep(100)
      done.push('list')
      return { ...NOTHING, saved: new Date(Date.now()).toISOString() }
    },
    write: async () => void done.push('write'),
  })
  await t.rejects(ended, failure)
  t.strictSame(done, ['list', 'write', 'list', 'write', 'readers'])
})

t.test('a stop ends though nft and the disk hang, and says what was left', async (t) => {
  const never = new Promise<never>(() => {})
  const written: KnockState[] = []
  let isHanging = false
  const { news, find, stop, ended } = start({
    save: () => (isHanging ? never : Promise.resolve(grantedTo('203.0.113.9', Date.now()))),
    ensure: () => never,
    putBack: () => never,
    write: async (state) => void written.push(state),
  })
  await sleep(300)
  isHanging = true
  news.emit(gone)
  news.emit(granted('203.0.113.7'))
  await sleep(1200)
  const begun = performance.now()
  stop()
  await ended
  const took = performance.now() - begun
  t.ok(took < 15_000, `${took} ms`)
  t.strictSame(
    find('failed').map((event) => 'what' in event && event.what),
    ['stop', 'list'],
  )
  t.strictSame(
    written
      .at(-1)
      ?.grants.map(({ source }) => source)
      .sort(),
    ['203.0.113.7', '203.0.113.9'],
  )
})

t.test('a clock that is put right while the table is listed', async (t) => {
  const putForward = clockOf(t)
  let listings = 0
  const { ensured, news, stop, ended } = start({
    async save() {
      listings += 1
      const state = grantedTo('203.0.113.1', Date.now())
      if (listings === 1) putForward(3_600_000)
      await sleep(20)
      return state
    },
  })
  await sleep(100)
  t.equal(listings, 2, 'what was dated by another clock is listed again')
  news.emit(gone)
  await sleep(50)
  t.equal(ensured[0]?.grants.length, 1)
  stop()
  await ended
})

t.test('a clock that is found put right as the table is put back asks once', async (t) => {
  const putForward = clockOf(t)
  let [running, most] = [0, 0]
  const { stop, ended } = start({
    refillEvery: 0.2,
    async ensure() {
      running += 1
      most = Math.max(most, running)
      await sleep(50)
      running -= 1
      return 'unchanged'
    },
  })
  await sleep(100)
  putForward(3_600_000)
  await sleep(600)
  t.equal(most, 1)
  stop()
  await ended
  t.equal(running, 0)
})
