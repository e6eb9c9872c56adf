// Fake reader processes that are silent, fail or end → the reader's calls, and its restarts.
import t from 'tap'
import { type FakeChild, fakeLaunch, read } from '../../../integration/captures/fake-child.js'
import { FakeClock } from '../../../integration/fixtures/fake-clock.js'
import { Reader, type ReaderOptions } from './reader.js'

/** Makes a reader with fake processes, and collects its calls. */
function readerOf(given: Partial<ReaderOptions> = {}) {
  const clock = new FakeClock()
  const { start: launch, children, commands, obstacle } = fakeLaunch()
  const logged: unknown[] = []
  const reader = new Reader(
    {
      module: 'log-reader.js',
      args: ['5'],
      netns: '',
      subject: 'the test',
      clock,
      launch,
      ...given,
    },
    {
      record: (record) => logged.push(record),
      died: () => logged.push('died'),
      restarted: () => logged.push('restarted'),
      failed: (error) => logged.push(error),
    },
  )
  const last = () => children.at(-1) as FakeChild
  /** Starts the reader, and lets its process be ready. */
  const begin = async () => {
    const started = reader.start()
    await last().say({ ready: true })
    await started
  }
  return { reader, logged, clock, children, commands, obstacle, last, begin }
}

const socket = (reason: string) => ({
  name: 'NetlinkError',
  code: 'socket',
  operation: 'watch',
  message: `watch: the test: ${reason}`,
})

t.test('a process that is never ready is replaced, and finally the start is refused', async (t) => {
  const { reader, logged, clock, children } = readerOf({ patience: 2000 })
  const starting = clock.passUntil(reader.start())
  await t.rejects(starting, socket('the process that reads it was not ready after 2000 ms'))
  t.same(
    children.map(({ signalCode }) => signalCode),
    ['SIGKILL', 'SIGKILL', 'SIGKILL'],
  )
  t.equal(clock.now(), 3 * 2000 + 2 * 50)
  t.same(logged, [])
})

t.test('a process that is too slow only the first time', async (t) => {
  const { reader, clock, children } = readerOf()
  const started = reader.start()
  await clock.pass(20_050)
  await children[1]?.say({ ready: true })
  await started
  t.equal(children.length, 2)
  await reader.end()
})

t.test('a process that is ready stays, however long it is silent', async (t) => {
  const { reader, logged, clock, children, begin } = readerOf()
  await begin()
  await clock.pass(3_600_000)
  t.equal(children.length, 1)
  t.same(logged, [])
  await reader.end()
})

t.test('the reason is what the process wrote last on stderr, cut to its end', async (t) => {
  const { reader, clock, children } = readerOf()
  const message = /^watch: the test: the process that reads it ended: x{480,490} out of memory$/
  const refused = t.rejects(reader.start(), { code: 'socket', message })
  for (const words of ['', 'first', `${'x'.repeat(1000)}\n  out of\n memory\n`]) {
    await children.at(-1)?.die(words)
    await clock.pass(50)
  }
  await refused
})

t.test('a final failure is not tried again', async (t) => {
  const { reader, children, last } = readerOf()
  const refused = t.rejects(reader.start(), {
    name: 'NetlinkError',
    code: 'EBUSY',
    message: 'watch: the test: process 7 (ulogd) has it already',
  })
  await last().say({ failed: { code: 'EBUSY', reason: 'process 7 (ulogd) has it already' } })
  await refused
  t.equal(children.length, 1)
  t.equal(last().signalCode, 'SIGKILL')
})

t.test('a package that is not installed is named', async (t) => {
  const { reader, children, last } = readerOf()
  const refused = t.rejects(reader.start(), {
    name: 'CapabilityError',
    code: 'missing-capability',
    missing: 'the test: the optional package netlink',
    message: /npm install netlink$/,
  })
  await last().say({ failed: { code: 'missing-capability', reason: 'not there' } })
  await refused
  t.equal(children.length, 1)
})

t.test('records are whole, in whatever parts they arrive', async (t) => {
  const { reader, logged, begin, last } = readerOf()
  await begin()
  const text = '{"lost":1}\n{"logged":"é","at":2}\n{"lost":3}\n'
  for (const byte of Buffer.from(text)) last().stdout.write(Uint8Array.of(byte))
  await read()
  t.same(logged, [{ lost: 1 }, { logged: 'é', at: 2 }, { lost: 3 }])
  const ending = reader.end()
  await last().say({ lost: 4 })
  await ending
  t.equal(logged.length, 3, 'nothing is reported after its end')
})

t.test('one that dies is replaced, each time later, and at once if it lived long', async (t) => {
  const { reader, logged, clock, begin, last, children } = readerOf()
  await begin()
  for (const pause of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    await last().die()
    const count = children.length
    await clock.pass(pause - 1)
    t.equal(children.length, count, `not before ${pause} ms`)
    await clock.pass(1)
    t.equal(children.length, count + 1)
    await last().say({ ready: true })
    t.same(logged.splice(0), ['died', 'restarted'])
  }
  await clock.pass(10_001)
  await last().die()
  await clock.pass(50)
  t.equal(children.length, 10)
  await reader.end()
})

t.test('a restart that fails is tried again, until it is refused', async (t) => {
  const { logged, clock, begin, last, children, obstacle } = readerOf()
  await begin()
  obstacle.error = new Error('spawn EAGAIN')
  await last().die()
  await clock.pass(60_000)
  t.same(logged, ['died'])
  t.equal(children.length, 1)
  obstacle.error = undefined as never
  await clock.pass(5000)
  t.equal(children.length, 2)
  await last().say({ failed: { code: 'EPERM', reason: 'the kernel refused it: EPERM' } })
  t.match(logged, ['died', { code: 'EPERM' }])
  await clock.pass(60_000)
  t.equal(children.length, 2, 'nothing more is tried')
})

t.test('one that cannot be started says why', async (t) => {
  const { reader, clock, obstacle, commands } = readerOf()
  obstacle.error = new Error('no file descriptors are left')
  await t.rejects(clock.passUntil(reader.start()), socket('no file descriptors are left'))
  t.equal(commands.length, 3)
  const other = readerOf()
  const refused = t.rejects(other.reader.start(), socket('spawn nsenter ENOENT'))
  for (let tries = 0; tries < 3; tries += 1) {
    other.last().emit('error', new Error('spawn nsenter ENOENT'))
    other.last().stdin.emit('error', new Error('EPIPE'))
    await other.last().die('never shown')
    await other.clock.pass(50)
  }
  await refused
})

t.test('whether it keeps this process alive, also between two processes', async (t) => {
  const { reader, clock, begin, last, children } = readerOf()
  await begin()
  reader.hold(false)
  t.notOk(last().isHeld)
  await last().die()
  t.notOk(clock.isHeld)
  await clock.pass(60)
  reader.hold(true)
  await read()
  t.ok(clock.isHeld)
  await clock.pass(39)
  t.equal(children.length, 1, 'the pause does not begin anew')
  reader.hold(false)
  await clock.pass(1)
  t.equal(children.length, 2)
  t.notOk(last().isHeld, 'nor does the new one')
  const ending = reader.end()
  t.ok(last().isHeld, 'its end is waited for')
  await ending
})

t.test('nothing is started after the end', async (t) => {
  const { reader, clock, begin, last, children, logged } = readerOf()
  await begin()
  await last().die()
  await reader.end()
  await clock.pass(60_000)
  t.equal(children.length, 1)
  t.same(logged, ['died'])
  const { reader: early, last: first, clock: its, children: all } = readerOf()
  void early.start()
  await first().die()
  await early.end()
  await its.pass(60_000)
  t.equal(all.length, 1)
})

t.test('a question is answered, or the process ends, or it takes too long', async (t) => {
  const { reader, clock, begin, last } = readerOf()
  t.equal(await reader.settled(1000), false, 'there is no process')
  await begin()
  const answered = reader.settled(1000)
  t.equal(String(last().stdin.read()), '1\n')
  await last().say({ settled: 1 })
  t.equal(await answered, true)
  const late = reader.settled(1000)
  await clock.pass(1000)
  t.equal(await late, false)
  const lost = reader.settled(1000)
  await last().die()
  t.equal(await lost, false)
  await reader.end()
})

t.test('another network namespace is entered first', async (t) => {
  for (const [netns, path] of [
    ['blue', '/run/netns/blue'],
    ['/proc/7/ns/net', '/proc/7/ns/net'],
  ] as const) {
    const { reader, commands } = readerOf({ netns })
    void reader.start()
    await reader.end()
    const [command = []] = commands
    t.same(command.slice(0, 4), ['nsenter', `--net=${path}`, '--', process.execPath])
    t.match(command.at(-2), /\/log-reader\.js$/)
    t.equal(command.at(-1), '5')
  }
})
