// A table that is kept standing: a stand-in that notes what is asked of it, and news of it.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { NftError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import type { KnockEvent } from '../view/event.js'
import { KnownState, type TableRecord } from '../view/known-state.js'
import type { KeepEvent } from './event.js'
import { Keeper } from './keeper.js'
import type { KeptTable, TableRecords } from './kept-table.js'

const NOTHING: KnockState = {
  version: 1,
  table: 'knock',
  saved: '2026-11-21T10:00:00.000Z',
  grants: [],
  bans: [],
  tokens: [],
  sequences: [],
}
const settled = async () => true
const gone: KnockEvent = { event: 'removed', time: '' }
const granted = (source: string): KnockEvent => {
  return { event: 'granted', time: '', door: 'ssh', source, by: 'knock', expiresIn: 600 }
}

/** Events that are reported when somebody asks for them, or later. */
class News {
  readonly #heard: TableRecord[] = []
  /** What is reported when the packets' deeds are asked for. */
  queued: TableRecord[] = []
  isSettled = true
  isDeaf = false
  #wake = () => {}
  emit(event: KnockEvent, more: Partial<TableRecord> = {}): void {
    this.#heard.push({ ...more, event })
    this.#wake()
  }
  records(options: { signal: AbortSignal }): TableRecords {
    const settled = async () => {
      await sleep(20)
      for (const record of this.queued.splice(0)) this.emit(record.event, record)
      return this.isSettled
    }
    const { isDeaf } = this
    return Object.assign(this.#records(options), { ready: Promise.resolve(), isDeaf, settled })
  }
  async *#records({ signal }: { signal: AbortSignal }): AsyncGenerator<TableRecord> {
    signal.addEventListener('abort', () => this.#wake())
    while (!signal.aborted) {
      const next = this.#heard.shift()
      if (next) yield next
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

type Given = Partial<Omit<KeptTable, 'save'>> & {
  readonly save?: () => Promise<KnockState>
  /** Whether its chains are as they should be. */
  readonly isWhole?: () => boolean
}

const empty = async () => ({ ...NOTHING, saved: new Date(Date.now()).toISOString() })

function start({ save = empty, isWhole = () => true, ...rest }: Given = {}) {
  const news = new News()
  const events: KeepEvent[] = []
  const stop = new AbortController()
  const ensured: KnockState[] = []
  const restored: KnockState[] = []
  const closed: string[] = []
  const table: KeptTable = {
    putBack: async (state) => {
      ensured.push(state)
      return true
    },
    ensure: async () => 'unchanged',
    refillEvery: undefined,
    close: async ({ source }) => closed.push(source),
    restore: async (state) => void restored.push(state),
    save: async () => ({ state: await save(), isWhole: isWhole() }),
    records: (options) => news.records(options),
    write: undefined,
    ...rest,
  }
  const known = new KnownState({
    table: 'knock',
    banFor: undefined,
    rememberTokens: 60,
    digestOf: () => undefined,
  })
  const keeper = new Keeper(table, known, {
    signal: stop.signal,
    emit: (event) => events.push(event),
    offset: Date.now() - performance.now(),
  })
  const ended = keeper.run()
  const find = (name: KeepEvent['event']) => events.filter(({ event }) => event === name)
  return { news, events, find, ensured, restored, closed, stop: () => stop.abort(), ended }
}

t.test('puts back what is gone, with the grants that it heard of', async (t) => {
  const { news, find, ensured, stop, ended } = start()
  news.emit(granted('203.0.113.7'))
  news.emit(gone)
  await sleep(50)
  t.equal(ensured.length, 1)
  t.match(ensured[0]?.grants, [{ door: 'ssh', source: '203.0.113.7' }])
  t.match(find('restored'), [{ was: 'gone', grants: 1 }])
  stop()
  await ended
})

t.test('what was used is known before tokens are loaded', async (t) => {
  const done: string[] = []
  const found: { tokens: number; isCertain: boolean }[] = []
  const { news, stop, ended } = start({
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
  await sleep(30)
  const [token, other] = ['ab'.repeat(16), 'cd'.repeat(16)]
  news.queued.push({ event: granted('203.0.113.7'), token })
  news.emit(gone)
  await sleep(100)
  t.strictSame(done, ['shut, 0 used', 'loaded'], 'shut first, whatever is not known yet')
  t.strictSame(found, [{ tokens: 1, isCertain: true }], 'told after the flush, and known')
  news.isSettled = false
  news.emit(gone)
  await sleep(100)
  t.equal(found[1]?.isCertain, false, 'nobody says what packets did')
  news.isSettled = true
  await sleep(1000)
  news.emit({ event: 'overrun', time: '', lost: 1 })
  news.queued.push({ event: granted('203.0.113.8'), token: other })
  news.emit(gone)
  await sleep(100)
  t.strictSame(
    found[2],
    { tokens: 2, isCertain: false },
    'something was lost since the last listing',
  )
  stop()
  await ended
})

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

t.test('says nothing where the table is as it should be', async (t) => {
  const { news, events, stop, ended } = start({ ensure: async () => 'unchanged' })
  news.emit({ event: 'installed', time: '' })
  await sleep(50)
  t.strictSame(
    events.map(({ event }) => event),
    ['watching', 'installed'],
  )
  stop()
  await ended
})

t.test('news that come while it is put back are seen to once more', async (t) => {
  let running = 0
  let most = 0
  let count = 0
  const { news, stop, ended } = start({
    putBack: async () => false,
    async ensure() {
      running += 1
      count += 1
      most = Math.max(most, running)
      await sleep(60)
      running -= 1
      return 'changed'
    },
  })
  for (let i = 0; i < 5; i += 1) {
    news.emit(gone)
    await sleep(5)
  }
  await sleep(200)
  t.equal(most, 1, 'never two at once')
  t.equal(count, 2)
  stop()
  await ended
})

t.test('what fails is reported and tried again', async (t) => {
  let tries = 0
  const { news, find, stop, ended } = start({
    putBack: async () => false,
    async ensure() {
      tries += 1
      if (tries === 1) throw new NftError('rejected', 'installKnock: no')
      return 'changed'
    },
  })
  news.emit(gone)
  await sleep(100)
  t.match(find('failed'), [{ what: 'install', message: 'installKnock: no' }])
  await sleep(1400)
  t.equal(tries, 2)
  t.equal(find('restored').length, 1)
  stop()
  await ended
})

t.test('a table that others change again and again', async (t) => {
  const { news, find, stop, ended } = start({ ensure: async () => 'changed' })
  for (let i = 0; i < 5; i += 1) {
    news.emit({ event: 'installed', time: '' })
    await sleep(30)
  }
  t.equal(find('restored').length, 5, 'is put back all the same')
  t.match(find('failed'), [{ what: 'contested', message: /look for another knocklib run/ }])
  t.equal(find('failed').length, 1)
  stop()
  await ended
})

t.test('a table that is gone unseen is found by listing', async (t) => {
  let listings = 0
  const { find, ensured, stop, ended } = start({
    async save() {
      listings += 1
      throw new NftError('not-found', 'save: not there')
    },
  })
  await sleep(100)
  t.equal(listings, 1)
  t.equal(ensured.length, 1)
  t.strictSame(find('failed'), [])
  stop()
  await ended
})

t.test('chains that are gone unheard are found by two looks', async (t) => {
  let [isWhole, isOnceWrong, looks] = [true, false, 0]
  let ensures = 0
  const { find, stop, ended } = start({
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
  await sleep(100)
  isOnceWrong = true
  await sleep(1200)
  t.equal(looks, 3, 'one that looks altered is looked at again')
  t.equal(ensures, 0, 'a listing may be wrong')
  isWhole = false
  await sleep(1200)
  t.equal(ensures, 1)
  const [restored] = find('restored') as { was: string; took: number; open: number }[]
  t.equal(restored?.was, 'altered')
  const { took = 0, open = 0 } = restored ?? {}
  t.ok(took < 500, `${took} ms since it was seen`)
  t.ok(open >= 900 && open < 1900, `${open} ms since it was seen whole`)
  stop()
  await ended
})

t.test('a table that was made anew before anybody heard that it was gone', async (t) => {
  let [made, goOn] = [0, () => {}]
  const { news, find, restored, stop, ended } = start({
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
  await sleep(50)
  news.emit(granted('203.0.113.7'))
  news.emit(gone)
  await sleep(50)
  goOn()
  await sleep(100)
  t.match(find('restored'), [{ was: 'gone' }], 'told all the same, once')
  t.match(restored, [{ grants: [{ source: '203.0.113.7' }] }], 'with what came meanwhile')
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
