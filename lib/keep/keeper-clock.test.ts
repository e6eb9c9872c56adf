// A clock that is put right, and a stop, as a keeper sees them.
import t from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import { gone, granted, NOTHING, settled, start } from '../../integration/fixtures/kept.js'
import { isoDate } from '../clock/clock.js'
import { NftError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { TableRecord } from '../view/known-state.js'
import type { TableRecords } from './kept-table.js'

function grantedTo(source: string, now: number): KnockState {
  const until = new Date(now + 600_000).toISOString()
  return {
    ...NOTHING,
    saved: new Date(now).toISOString(),
    grants: [{ door: 'ssh', source, until }],
  }
}

t.test('a change of the clock is detected', async (t) => {
  const ensured: KnockState[] = []
  const { clock, news, end } = start({
    refillEvery: 3600,
    async ensure(state, { isDue }) {
      if (isDue) ensured.push(state)
      return 'unchanged'
    },
  })
  news.emit(granted('203.0.113.1'))
  await clock.pass(50)
  t.equal(ensured.length, 0)
  clock.putForward(-5 * 3_600_000)
  await clock.pass(1200)
  t.equal(ensured.length, 1, 'the loads of the present time are loaded')
  const { saved = '', grants = [] } = ensured[0] ?? {}
  const left = Date.parse(grants[0]?.until ?? '') - Date.parse(saved)
  t.equal(left, 598_980, '1 s passed until the change was seen, and 20 ms until events arrived')
  await end()
})

t.test('a change of the clock is detected while nft hangs', async (t) => {
  let loaded = 0
  const { clock, end } = start({
    refillEvery: 3600,
    save: () => new Promise<never>(() => {}),
    async ensure() {
      loaded += 1
      return 'unchanged'
    },
  })
  await clock.pass(50)
  clock.putForward(3_600_000)
  await clock.pass(1000)
  t.equal(loaded, 1, 'the clock is checked each second')
  await end()
})

t.test('the keeper ends after its readers and the running listing', async (t) => {
  const clock = new FakeClock()
  const done: string[] = []
  const failure = new NftError('not-permitted', 'watch: no')
  const { ended } = start({
    clock,
    records() {
      const none = {
        next: () => clock.pause(50).then(() => Promise.reject(failure)),
        [Symbol.asyncIterator]: () => none,
        return: async () => {
          await clock.pause(800)
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
      await clock.pause(100)
      done.push('list')
      return { ...NOTHING, saved: isoDate(clock) }
    },
    write: async () => void done.push('write'),
  })
  await t.rejects(clock.passUntil(ended), failure)
  t.strictSame(done, ['list', 'write', 'list', 'write', 'readers'])
})

t.test('a stop ends although nft and the disk hang, and reports what was left', async (t) => {
  const clock = new FakeClock()
  const never = new Promise<never>(() => {})
  const written: KnockState[] = []
  let isHanging = false
  const { news, find, end } = start({
    clock,
    save: () => (isHanging ? never : Promise.resolve(grantedTo('203.0.113.9', clock.date()))),
    ensure: () => never,
    putBack: () => never,
    write: async (state) => void written.push(state),
  })
  await clock.pass(300)
  isHanging = true
  news.emit(gone)
  news.emit(granted('203.0.113.7'))
  await clock.pass(1200)
  const begun = clock.now()
  await end()
  t.equal(clock.now() - begun, 6000, 'each has three seconds')
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

t.test('the clock changes while the table is listed', async (t) => {
  const clock = new FakeClock()
  let listings = 0
  const { ensured, news, end } = start({
    clock,
    async save() {
      listings += 1
      const state = grantedTo('203.0.113.1', clock.date())
      if (listings === 1) clock.putForward(3_600_000)
      await clock.pause(20)
      return state
    },
  })
  await clock.pass(100)
  t.equal(listings, 2, 'a listing dated by the old clock is repeated')
  news.emit(gone)
  await clock.pass(50)
  t.equal(ensured[0]?.grants.length, 1)
  await end()
})

t.test('a change of the clock found while the table is put back is handled once', async (t) => {
  const clock = new FakeClock()
  let [running, most] = [0, 0]
  const { end } = start({
    clock,
    refillEvery: 0.2,
    async ensure() {
      running += 1
      most = Math.max(most, running)
      await clock.pause(50)
      running -= 1
      return 'unchanged'
    },
  })
  await clock.pass(100)
  clock.putForward(3_600_000)
  await clock.pass(600)
  t.equal(most, 1)
  await end()
  t.equal(running, 0)
})
