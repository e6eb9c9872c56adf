// Several who listen to one reader → one process, which is there as long as anybody listens.
import t from 'tap'
import type { Reader, ReaderListener, ReaderOptions } from './reader.js'
import { foreignLogPackets, share, shareChanges, shareLog } from './shared-reader.js'

/** Readers that a test starts and ends, and what was asked of them. */
function readers() {
  const opened: FakeReader[] = []
  const open = (_options: ReaderOptions, listener: ReaderListener) => {
    const reader = new FakeReader(listener)
    opened.push(reader)
    return reader
  }
  return { opened, open }
}

/** A promise that a test settles. */
class Later {
  resolve = () => {}
  reject: (error: Error) => void = () => {}
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })
}

class FakeReader implements Pick<Reader, 'start' | 'hold' | 'settled' | 'end'> {
  readonly listener: ReaderListener
  readonly ended = new Later()
  readonly started = new Later()
  isHeld = true
  isEnding = false

  constructor(listener: ReaderListener) {
    this.listener = listener
  }

  start = () => this.started.promise
  settled = async (patience: number) => patience > 1000
  hold(isHeld: boolean): void {
    this.isHeld = isHeld
  }
  end(): Promise<void> {
    this.isEnding = true
    return this.ended.promise
  }
}

const log = () => {
  const heard: unknown[] = []
  const listener: ReaderListener = {
    record: (record) => heard.push(record),
    died: () => heard.push('died'),
    restarted: () => heard.push('restarted'),
    failed: (error) => heard.push(error.message),
  }
  return { heard, listener }
}

/** Of a namespace that no other test has. */
let spaces = 0
const optionsOf = (): ReaderOptions => {
  spaces += 1
  return { module: 'x.js', args: ['5'], netns: `space${spaces}`, subject: 'x' }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

t.test('who asks for the same shares one, and each hears all', async (t) => {
  const { opened, open } = readers()
  const options = optionsOf()
  const [one, two] = [log(), log()]
  const sharing = [share(options, one.listener, open), share(options, two.listener, open)]
  await turn()
  const [reader] = opened as [FakeReader]
  t.equal(opened.length, 1)
  reader.started.resolve()
  const [first, second] = await Promise.all(sharing)
  reader.listener.record({ lost: 1 })
  reader.listener.died()
  reader.listener.restarted()
  for (const { heard } of [one, two]) t.same(heard, [{ lost: 1 }, 'died', 'restarted'])
  t.same([await first?.settled(1), await second?.settled(1001)], [false, true])

  first?.hold(false)
  t.ok(reader.isHeld, 'the other still holds it')
  second?.hold(false)
  t.notOk(reader.isHeld)
  first?.hold(true)
  t.ok(reader.isHeld)
  await first?.end()
  t.notOk(reader.isEnding)
  t.notOk(reader.isHeld, 'who has left holds nothing')
  first?.hold(true)
  t.notOk(reader.isHeld)
  reader.listener.record({ lost: 2 })
  t.equal(one.heard.length, 3)
  t.equal(two.heard.length, 4)
  const ending = second?.end()
  t.ok(reader.isEnding)
  reader.ended.resolve()
  await ending
})

t.test('a new one is begun when the old one is gone', async (t) => {
  const { opened, open } = readers()
  const options = optionsOf()
  const sharing = share(options, log().listener, open)
  opened[0]?.started.resolve()
  const first = await sharing
  const ending = first.end()
  const next = share(options, log().listener, open)
  await turn()
  t.equal(opened.length, 1, 'the group is still taken')
  opened[0]?.ended.resolve()
  await ending
  await turn()
  t.equal(opened.length, 2)
  opened[1]?.started.resolve()
  opened[1]?.ended.resolve()
  await (await next).end()
})

t.test('one that cannot be started is told to all, and forgotten', async (t) => {
  const { opened, open } = readers()
  const options = optionsOf()
  const sharing = [0, 1].map(() => t.rejects(share(options, log().listener, open), /has it/))
  await turn()
  opened[0]?.ended.resolve()
  opened[0]?.started.reject(new Error('another process has it already'))
  await Promise.all(sharing)
  t.ok(opened[0]?.isEnding)
  const again = share(options, log().listener, open)
  await turn()
  t.equal(opened.length, 2, 'who asks later may have more luck')
  opened[1]?.started.resolve()
  opened[1]?.ended.resolve()
  await (await again).end()
})

t.test('one that fails later is told to all, and the next gets another', async (t) => {
  const { opened, open } = readers()
  const options = optionsOf()
  const { heard, listener } = log()
  const sharing = share(options, listener, open)
  opened[0]?.started.resolve()
  const failed = await sharing
  opened[0]?.listener.failed(new Error('it is gone'))
  t.same(heard, ['it is gone'])
  const next = share(options, log().listener, open)
  t.equal(opened.length, 2)
  opened[1]?.started.resolve()
  const share2 = await next
  opened[0]?.ended.resolve()
  await failed.end()
  const third = share(options, log().listener, open)
  t.equal(opened.length, 2, 'who leaves the old one does not take the new one away')
  opened[1]?.ended.resolve()
  await share2.end()
  await (await third).end()
})

t.test('messages of others are counted, and reach nobody', async (t) => {
  const { opened, open } = readers()
  const options = { ...optionsOf(), module: 'log-reader.js' }
  const { heard, listener } = log()
  t.equal(foreignLogPackets(options.netns), undefined)
  const sharing = shareLog(options.netns, 5, listener, open)
  t.equal(foreignLogPackets(options.netns), 0)
  opened[0]?.started.resolve()
  const own = await sharing
  opened[0]?.listener.record({ foreign: 3 })
  opened[0]?.listener.record({ foreign: 4 })
  t.equal(foreignLogPackets(options.netns), 7)
  t.same(heard, [])
  const changes = shareChanges(options.netns, listener, open)
  t.equal(opened.length, 2, 'what it reads is another')
  for (const reader of opened) {
    reader.started.resolve()
    reader.ended.resolve()
  }
  await Promise.all([own.end(), (await changes).end()])
  t.equal(foreignLogPackets(options.netns), 7, 'since this process began')
})
