// When a watch begins, fails and ends, and what it gives back.
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { specOf, ssh } from '../../integration/fixtures/installed.js'
import {
  allDone,
  StandingTime,
  taken,
  Watched,
  watch,
  watchedTable,
} from '../../integration/fixtures/watched.js'
import { NetlinkError, NftError } from '../errors.js'
import { installKnock } from '../index.js'
import { DocumentElements } from '../kernel/elements.js'
import type { Nft } from '../kernel/nft.js'
import { TableSource } from './table-source.js'
import { TableWatcher } from './watch-table.js'

t.test('the end of a watch does not wait for nft', async (t) => {
  let isAsked = false
  const silent: Pick<Nft, 'netns' | 'list'> = {
    netns: '',
    async list(_, { signal } = {}) {
      isAsked = true
      await sleep(60_000, undefined, { ...(signal && { signal }), ref: false })
    },
  }
  const nft = silent as Nft
  const source = new TableSource({ table: 'knock', nft, elements: new DocumentElements(nft) })
  const watcher = new TableWatcher(source, { queue: 1, needsLog: true })
  await sleep(10)
  t.ok(isAsked)
  const begun = performance.now()
  await watcher.return()
  t.ok(performance.now() - begun < 5000)
  await watcher.ready
  t.same(await watcher.next(), { done: true, value: undefined })
})

t.test('a watch that was aborted before it begins reads nothing', async (t) => {
  const watched = await watch({ signal: AbortSignal.abort() })
  t.same(await watched.told(), ['end'])
  t.equal(watched.readings, 0)
  t.same(watched.stand.readers.shares, [])
})

t.test('a watch can be aborted at any moment of its start', async (t) => {
  for (let turns = 0; turns < 12; turns += 1) {
    const stop = new AbortController()
    const watched = new Watched(await watchedTable(), { signal: stop.signal })
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    stop.abort()
    await watched.watcher.ready
    t.same(await watched.told(), ['end'], `after ${turns} turns`)
    await watched.watcher.return()
    t.same(watched.stand.readers.shares, [])
  }
})

t.test('an abort ends a pending request, and drops the records that wait', async (t) => {
  for (const isAsked of [true, false]) {
    const stop = new AbortController()
    const watched = await watch({ signal: stop.signal })
    const { watcher, stand } = watched
    const asked = isAsked ? watcher.next() : undefined
    if (!isAsked) stand.readers.logged({ event: 'banned' })
    stop.abort()
    t.same(await (asked ?? watcher.next()), { done: true, value: undefined })
    await watcher.return()
    t.same(stand.readers.shares, [])
    t.notOk(await watcher.settled(100))
  }
})

t.test('an abort after its end, and an end after its end', async (t) => {
  using time = new StandingTime()
  const stop = new AbortController()
  const watched = await watch({ signal: stop.signal })
  const { watcher, stand } = watched
  const [log] = stand.readers.listeners('log')
  log?.record({ lost: 1 })
  await watcher.return()
  t.same(getEventListeners(stop.signal, 'abort'), [], 'a signal that lives on keeps nothing of it')
  stop.abort()
  t.same(await watcher.return(), { done: true, value: undefined })
  log?.died()
  log?.failed(taken())
  const { readings } = watched
  await time.pass(5000)
  t.same(await watched.told(), ['end'])
  t.equal(watched.readings, readings, 'nothing is read any more')
})

t.test('leaving the loop ends the watch', async (t) => {
  const watched = await watch()
  const { watcher, stand } = watched
  stand.readers.logged({ event: 'banned' })
  for await (const { event } of watcher) {
    t.match(event, { event: 'banned', source: '10.0.0.1' })
    break
  }
  t.same(stand.readers.shares, [])
})

t.test('a table that cannot be watched is refused, also when it is iterated', async (t) => {
  const stand = await watchedTable()
  const refused = async (source: TableSource, wanted: object) => {
    const watcher = new TableWatcher(source, { queue: 1, needsLog: true, shares: stand.readers })
    for (const refused of [watcher.ready, watcher.next()]) {
      t.match(await refused.catch((error: unknown) => error), wanted)
    }
    t.same(await watcher.next(), { done: true, value: undefined })
    t.same(stand.readers.shares, [])
  }
  await refused(new TableSource({ ...stand.place, table: 'other' }), { code: 'not-found' })
  const { nft } = stand
  const unnamed = { list: nft.list.bind(nft) } as Nft
  await refused(new TableSource({ ...stand.place, nft: unnamed }), {
    name: 'CapabilityError',
    message:
      "watch: the kernel's events: an Nft that names its network namespace, as those of " +
      'createNft do',
  })
  stand.readers.refusal = taken()
  await refused(new TableSource(stand.place), { name: 'NetlinkError', code: 'EBUSY' })
})

t.test('a reader that cannot go on ends the watch, after the events that wait', async (t) => {
  const watched = await watch()
  const { readers } = watched.stand
  readers.logged({ event: 'banned' })
  readers.listeners('changes')[0]?.failed(new NetlinkError('EPERM', 'watch', 'refused'))
  readers.logged({ event: 'banned' })
  await allDone()
  t.same(readers.shares, [])
  t.match(await watched.watcher.next(), { value: { event: { event: 'banned' } } })
  await t.rejects(watched.watcher.next(), { code: 'EPERM' })
  t.same(await watched.told(), ['end'])
})

t.test('a table that cannot be read is read again, until it can', async (t) => {
  using time = new StandingTime()
  await using watched = await watch()
  const { readers, knock } = watched.stand
  watched.beforeReading = async () => {
    throw new NftError('timed-out', 'watch: nft took too long')
  }
  await knock.door('ssh').open('10.0.0.1', { for: '10s' })
  readers.listeners('log')[0]?.restarted()
  await allDone()
  const { readings } = watched
  await time.pass(3000)
  t.equal(watched.readings, readings + 3)
  readers.logged({ event: 'banned' })
  t.same(await watched.told(), ['banned'], 'the watch goes on meanwhile')
  watched.beforeReading = async () => undefined
  await time.pass(8000)
  t.same(await watched.told(), ['expired 10.0.0.1'])
})

t.test('a new log group that another process has ends the watch', async (t) => {
  const watched = await watch()
  const { readers, nft } = watched.stand
  readers.refusal = taken()
  await installKnock({ ...specOf(ssh), log: { group: 9 } }, { nft })
  readers.changed({ shape: true })
  t.match(await watched.watcher.next(), { value: { event: { event: 'installed' } } })
  await allDone()
  await t.rejects(watched.told(), { code: 'EBUSY' })
  await watched.watcher.return()
  t.same(readers.shares, [])
})

t.test('changes that come while the table is read are read after that, once', async (t) => {
  await using watched = await watch()
  const { readers } = watched.stand
  const { readings } = watched
  let goOn = () => {}
  const reading = new Promise<void>((resolve) => {
    goOn = resolve
  })
  watched.beforeReading = () => reading
  for (let n = 0; n < 5; n += 1) readers.changed({ shape: true })
  await allDone()
  t.equal(watched.readings, readings + 1)
  goOn()
  await allDone()
  t.equal(watched.readings, readings + 2)
  t.same(await watched.told(), Array(5).fill('installed'))
})

t.test('the watch keeps the process alive while an event is awaited', async (t) => {
  await using watched = await watch()
  const { watcher, stand } = watched
  const held = () => stand.readers.shares.map(({ isHeld }) => isHeld)
  t.same(held(), [false, false])
  const next = watcher.next()
  t.same(held(), [true, true])
  stand.readers.logged({ event: 'banned' })
  await next
  t.same(held(), [true, true], 'who got one asks for the next')
  await allDone()
  t.same(held(), [false, false])
})

t.test('whether all that packets did has been told', async (t) => {
  await using watched = await watch()
  const { watcher, stand } = watched
  t.ok(await watcher.settled(60_000))
  stand.readers.settled = async () => false
  t.notOk(await watcher.settled(60_000))
  stand.readers.settled = () => new Promise(() => {})
  t.notOk(await watcher.settled(10))
})
