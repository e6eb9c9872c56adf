// Readers of a group and of notifications that say what a test makes them say → what the watcher
// hears.
import t from 'tap'
import { allDone, FakeReaders, StandingTime, taken } from '../../integration/fixtures/watched.js'
import { NetlinkError } from '../errors.js'
import { TableReaders } from './readers.js'

const RETRY = 5000

/** Readers, and all that they tell. */
function heard(needsLog = false) {
  const shares = new FakeReaders()
  const told: unknown[] = []
  const readers = new TableReaders({
    ...{ netns: '', needsLog, shares },
    record: (record) => told.push(record),
    lost: (count) => told.push(['lost', count]),
    restarted: () => told.push('restarted'),
    deaf: ({ message }) => told.push(['deaf', message]),
    hears: () => told.push('hears'),
    failed: ({ message }) => told.push(['failed', message]),
  })
  return { shares, told, readers }
}

t.test('both readers report their records in the order in which they come', async (t) => {
  const { shares, told, readers } = heard()
  await readers.start(5)
  t.same(shares.groups, [5])
  shares.logged({ event: 'banned' })
  shares.changed({ shape: true })
  shares.logged({ event: 'banned' }, '10.0.0.2')
  t.match(told, [{ source: '10.0.0.1' }, { changed: { shape: true } }, { source: '10.0.0.2' }])
  await readers.end()
  t.same(shares.shares, [])
})

t.test('losses, deaths and restarts of either reader are reported', async (t) => {
  const { shares, told, readers } = heard()
  await readers.start(5)
  for (const of of ['log', 'changes'] as const) {
    const [listener] = shares.listeners(of)
    listener?.record({ lost: 3 })
    listener?.died()
    listener?.restarted()
  }
  const each = [['lost', 3], ['lost', undefined], 'restarted']
  t.same(told, [...each, ...each])
  await readers.end()
})

t.test('if one reader cannot be started, the other is released', async (t) => {
  const refused = new NetlinkError('EPERM', 'watch', 'refused')
  const notifications = heard()
  notifications.shares.changesRefusal = refused
  await t.rejects(notifications.readers.start(5), refused)
  t.same(notifications.shares.shares, [])
  const log = heard(true)
  log.shares.refusal = taken()
  await t.rejects(log.readers.start(5), { code: 'EBUSY' })
  t.same(log.shares.shares, [])
  const both = heard(true)
  both.shares.refusal = taken()
  both.shares.changesRefusal = refused
  await t.rejects(both.readers.start(5), { code: 'EBUSY' }, 'the group is what matters')
  const broken = heard()
  broken.shares.refusal = new Error('no fault of the kernel')
  await t.rejects(broken.readers.start(5), { message: 'no fault of the kernel' })
})

t.test('a reader that cannot go on is a failure if it is needed', async (t) => {
  const { shares, told, readers } = heard(true)
  await readers.start(5)
  for (const of of ['log', 'changes'] as const) shares.listeners(of)[0]?.failed(taken())
  t.same(told, [
    ['failed', 'another has it'],
    ['failed', 'another has it'],
  ])
  await readers.end()
})

t.test('a group that another process has is tried again until it is free', async (t) => {
  using time = new StandingTime()
  const { shares, told, readers } = heard()
  shares.refusal = taken()
  await readers.start(5)
  const first = [
    ['deaf', 'another has it'],
    ['lost', undefined],
  ]
  t.same(told, first, 'once')
  t.notOk(await readers.settled(100))
  await time.pass(2 * RETRY)
  t.same(told, first)
  shares.refusal = undefined
  await time.pass(RETRY - 10)
  t.same(shares.groups, [])
  await time.pass(10)
  t.same(shares.groups, [5])
  t.same(told, [...first, 'hears', 'restarted'])
  t.ok(await readers.settled(100))
  await readers.end()
  t.same(shares.shares, [])
})

t.test('a group that is lost is tried again, and its end with it', async (t) => {
  using time = new StandingTime()
  const { shares, told, readers } = heard()
  await readers.start(5)
  const [listener] = shares.listeners('log')
  shares.shares.splice(0)
  shares.refusal = taken()
  listener?.failed(taken())
  t.same(told, [['deaf', 'another has it']])
  t.notOk(await readers.settled(100), 'nobody reads it')
  await time.pass(RETRY)
  t.equal(told.length, 1)
  await readers.end()
  shares.refusal = undefined
  await time.pass(3 * RETRY)
  t.same(shares.groups, [], 'nobody tries any more')
  listener?.failed(taken())
  t.equal(told.length, 1, 'nothing is told after the end')
})

t.test('a retry that fails for another reason is reported', async (t) => {
  using time = new StandingTime()
  const { shares, told, readers } = heard()
  shares.refusal = taken()
  await readers.start(5)
  shares.refusal = new Error('no fault of the kernel')
  await time.pass(RETRY)
  t.same(told.at(-1), ['failed', 'no fault of the kernel'])
  await readers.end()
})

t.test('another group replaces the one before', async (t) => {
  const { shares, told, readers } = heard()
  await readers.start(5)
  t.notOk(await readers.read(5), 'the same')
  t.ok(await readers.read(6))
  t.same(shares.groups, [6])
  const [late] = await Promise.all([readers.read(undefined), readers.read(7)])
  t.ok(late)
  t.same(shares.groups, [7], 'one after the other')
  t.same(told, [])
  await readers.end()
  t.notOk(await readers.read(8), 'after the end')
  t.same(shares.groups, [])
})

t.test('a table that logs nothing is not deaf', async (t) => {
  using time = new StandingTime()
  const { shares, told, readers } = heard()
  shares.refusal = taken()
  await readers.start(5)
  await readers.read(undefined)
  t.same(told.at(-1), 'hears')
  const { length } = told
  shares.refusal = undefined
  await time.pass(3 * RETRY)
  t.same(shares.groups, [])
  t.equal(told.length, length)
  await readers.end()
})

t.test('readers that start later keep the process alive as the others do', async (t) => {
  const { shares, readers } = heard()
  const held = () => shares.shares.map(({ isHeld }) => isHeld)
  await readers.start(5)
  t.same(held(), [true, true])
  readers.hold(false)
  t.same(held(), [false, false])
  await readers.read(6)
  t.same(held(), [false, false])
  readers.hold(true)
  readers.hold(true)
  t.same(held(), [true, true])
  await readers.end()
})

t.test('an end waits for a reader that is being started', async (t) => {
  const { shares, readers } = heard()
  const begun = readers.start(5)
  const ended = readers.end()
  await Promise.allSettled([begun, ended])
  await allDone()
  t.same(shares.groups, [])
})
