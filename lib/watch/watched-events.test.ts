// What the readers of a table tell → the records that who watches it gets.
import t from 'tap'
import { specOf, ssh, web } from '../../integration/fixtures/installed.js'
import { allDone, StandingTime, taken, watch } from '../../integration/fixtures/watched.js'
import { installKnock } from '../index.js'

const knock = { event: 'knock', door: 'ssh', attempt: 'open', stage: 1, of: 2 } as const
const granted = { event: 'granted', door: 'ssh', attempt: 'open', stage: 2, of: 2 } as const
const key = '0a000001'
const called = (expiresIn: number | null) => ({
  elements: [{ set: 'grants_ssh_4', key, expiresIn }],
})

t.test('events come in the order in which the readers report them', async (t) => {
  await using watched = await watch()
  const { readers } = watched.stand
  readers.logged(knock)
  readers.logged(granted)
  readers.changed(called(null))
  readers.logged(granted, '10.0.0.1', 'other')
  readers.changed({ table: 'other', shape: true })
  readers.changed(called(7000))
  readers.logged({ event: 'closed', door: 'ssh' })
  t.strictSame(await watched.told(), [
    'knock',
    'granted',
    'closed call',
    'granted call',
    'closed use',
  ])
})

t.test('a grant that expires is reported, both of a knock and of a call', async (t) => {
  using time = new StandingTime()
  await using watched = await watch()
  const { readers, knock } = watched.stand
  await knock.door('ssh').open('10.0.0.1', { for: '5s' })
  readers.changed(called(5000))
  await time.pass(1000)
  await knock.door('ssh').open('10.0.0.2')
  readers.logged(granted, '10.0.0.2')
  t.same(await watched.told(), ['granted call', 'granted'])
  await time.pass(4000)
  t.same(await watched.told(), [])
  await time.pass(500)
  t.same(await watched.told(), ['expired 10.0.0.1'])
  await time.pass(26_000)
  t.same(await watched.told(), ['expired 10.0.0.2'])
})

t.test('grants from before the watch expire, too, and closed ones do not', async (t) => {
  using time = new StandingTime()
  await using watched = await watch({
    before: async (knock) => {
      await knock.door('ssh').open('10.0.0.1', { for: '5s' })
      await knock.door('ssh').open('10.0.0.2', { for: '5s' })
    },
  })
  await watched.stand.knock.door('ssh').close('10.0.0.2')
  watched.stand.readers.changed({
    elements: [{ set: 'grants_ssh_4', key: '0a000002', expiresIn: null }],
  })
  await time.pass(10_000)
  t.same(await watched.told(), ['closed call', 'expired 10.0.0.1'])
})

t.test('a reader that dies makes an overrun, and the table is read when it is back', async (t) => {
  using time = new StandingTime()
  await using watched = await watch()
  const { readers, knock } = watched.stand
  const [log] = readers.listeners('log')
  log?.died()
  await knock.door('ssh').open('10.0.0.1', { for: '2s' })
  log?.restarted()
  readers.logged(granted, '10.0.0.3')
  t.same(await watched.told(), ['overrun', 'granted'])
  await time.pass(2500)
  t.same(await watched.told(), ['expired 10.0.0.1'], 'what was granted meanwhile is known')
})

t.test(
  'records that a reader lost are reported, and the table is read after a second',
  async (t) => {
    using time = new StandingTime()
    await using watched = await watch()
    const { readers, knock } = watched.stand
    readers.listeners('log')[0]?.record({ lost: 4 })
    t.same(await watched.told(), ['overrun 4'])
    await knock.door('ssh').open('10.0.0.1', { for: '2s' })
    readers.changed({ elements: [], more: true })
    t.same(await watched.told(), ['overrun'])
    const before = watched.readings
    await time.pass(990)
    t.equal(watched.readings, before)
    await time.pass(10)
    t.equal(watched.readings, before + 1, 'once')
    await time.pass(2000)
    t.same(await watched.told(), ['expired 10.0.0.1'])
  },
)

t.test('a table that is removed and installed again is reported, and old grants end', async (t) => {
  using time = new StandingTime()
  await using watched = await watch()
  const { readers, nft } = watched.stand
  await watched.stand.knock.door('ssh').open('10.0.0.1', { for: '5s' })
  readers.changed(called(5000))
  await nft.apply({ nftables: [{ delete: { table: { family: 'inet', name: 'knock' } } }] })
  readers.changed({ event: 'removed', shape: true })
  t.same(await watched.told(), ['granted call', 'removed'])
  await time.pass(10_000)
  t.same(await watched.told(), [], 'its grants went with it, and nobody told that they ran out')
  await installKnock(specOf(ssh, web), { nft })
  readers.changed({ event: 'made', shape: true })
  await allDone()
  readers.logged({ ...granted, door: 'web' })
  t.same(await watched.told(), ['installed', 'granted'])
})

t.test('a change of the table that no reader reported is found when it is read', async (t) => {
  await using watched = await watch()
  const { readers, nft } = watched.stand
  const look = async () => {
    readers.listeners('changes')[0]?.restarted()
    await allDone()
    return watched.told()
  }
  t.same(await look(), [])
  await nft.apply({ nftables: [{ delete: { table: { family: 'inet', name: 'knock' } } }] })
  t.same(await look(), ['removed'])
  t.same(await look(), [])
  await installKnock(specOf(ssh, web), { nft })
  t.same(await look(), ['installed'])
})

t.test('a spec with another log group moves the reader to that group', async (t) => {
  await using watched = await watch()
  const { readers, nft } = watched.stand
  t.same(readers.groups, [5])
  await installKnock({ ...specOf(ssh), log: { group: 9 } }, { nft })
  readers.changed({ shape: true, sets: ['about'] })
  await allDone()
  t.same(readers.groups, [9])
  t.same(await watched.told(), ['installed', 'overrun'], 'what was logged between is not known')
  await installKnock({ ...specOf(ssh), log: false }, { nft })
  readers.changed({ shape: true })
  await t.rejects(watched.told(), { name: 'CapabilityError', message: /it logs nothing/ })
})

t.test('a slow consumer gets the events that fit, and the number of the others', async (t) => {
  await using watched = await watch({ queue: 3 })
  const { readers } = watched.stand
  const sources = Array.from({ length: 8 }, (_, n) => `10.0.0.${n + 1}`)
  for (const source of sources) readers.logged({ event: 'banned' }, source)
  t.same(await watched.told(), ['banned', 'banned', 'banned', 'overrun 5'])
  readers.logged({ event: 'banned' }, '10.0.0.9')
  t.same(await watched.told(), ['banned'], 'and goes on')
})

t.test('events wait while the table is read, and no more than fit', async (t) => {
  await using watched = await watch({ queue: 2 })
  const { readers } = watched.stand
  let goOn = () => {}
  const reading = new Promise<void>((resolve) => {
    goOn = resolve
  })
  watched.beforeReading = () => reading
  readers.listeners('log')[0]?.restarted()
  await allDone()
  for (const source of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) readers.logged(granted, source)
  t.same(await watched.told(), ['overrun 1'], 'a loss does not wait')
  let isSettled = false
  const settled = watched.watcher.settled(60_000).then((is) => {
    isSettled = is
  })
  await allDone()
  t.notOk(isSettled)
  goOn()
  await settled
  t.ok(isSettled)
  t.same(await watched.told(), ['granted', 'granted'])
})

t.test('each of several watchers gets all events', async (t) => {
  await using first = await watch()
  await using second = await watch({ of: first.stand, queue: 1 })
  const { readers } = first.stand
  readers.logged(knock)
  readers.logged(granted)
  t.same(await first.told(), ['knock', 'granted'])
  t.same(await second.told(), ['knock', 'overrun 1'])
  await second.watcher.return()
  readers.logged(knock)
  t.same(await first.told(), ['knock'])
  t.equal(readers.shares.length, 2, 'the other gave its own back')
})

t.test('a watcher that needs no log goes on without it', async (t) => {
  using time = new StandingTime()
  await using watched = await watch({ needsLog: false, refusal: taken() })
  const { watcher, stand } = watched
  const { readers } = stand
  t.ok(watcher.isDeaf)
  t.same(watched.hearing, ['deaf: another has it'], 'not before it is ready')
  readers.changed(called(7000))
  t.same(await watched.told(), ['overrun', 'granted call'])
  t.notOk(await watcher.settled(100))
  readers.refusal = undefined
  await time.pass(5000)
  t.notOk(watcher.isDeaf)
  t.same(watched.hearing, ['deaf: another has it', 'hears'])
  readers.logged(knock)
  t.same(await watched.told(), ['knock'])
})
