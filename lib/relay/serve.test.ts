// A keeper's service of events: opened as soon as it can be, and gone with its end.
import { pbkdf2 } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { FakeClock } from '../../integration/fixtures/fake-clock.js'
import type { KnockEvent } from '../view/event.js'
import { socketPath } from './place.js'
import { connectToKeeper, receiveEvents } from './receiver.js'
import { EventSender } from './sender.js'
import { EventService } from './serve.js'

const EVENT: KnockEvent = {
  ...{ time: 'now', event: 'closed', door: 'ssh', source: '10.0.0.1', by: 'call' },
}
/** Milliseconds between two tries. */
const RETRY = 5000

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

const connect = async (folder: string): Promise<Socket | undefined> =>
  connectToKeeper(await socketPath('', 'knock', folder))

function serve(folder: string, signal = new AbortController().signal) {
  const [clock, failures] = [new FakeClock(), [] as string[]]
  const failed = (message: string) => void failures.push(message)
  const service = new EventService({
    ...{ netns: '', table: 'knock', folder, signal },
    clock,
    failed,
  })
  return { clock, failures, service }
}

/** Waits, in turns of the event loop, until somebody can connect. */
async function reached(folder: string): Promise<Socket> {
  for (;;) {
    const socket = await connect(folder)
    if (socket) return socket
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('a client gets the events until the server ends', async (t) => {
  const folder = join(await folderOf(t), 'run')
  const { failures, service } = serve(folder)
  service.send(EVENT)
  const events = receiveEvents(await reached(folder), new AbortController().signal)
  service.send(EVENT)
  t.strictSame((await events.next()).value, EVENT)
  await service[Symbol.asyncDispose]()
  t.equal((await events.next()).done, true)
  t.equal(await connect(folder), undefined)
  t.strictSame(failures, [])
})

/** Lets everything that the file system is asked take long, until the signal is aborted. */
async function occupyThreads(signal: AbortSignal): Promise<void> {
  const derive = promisify(pbkdf2)
  const occupy = async () => {
    while (!signal.aborted) await derive('secret', 'salt', 20_000, 32, 'sha256')
  }
  await Promise.all(Array.from({ length: 16 }, occupy))
}

t.test('a client that has the first line misses no event', async (t) => {
  const folder = join(await folderOf(t), 'run')
  const path = await socketPath('', 'knock', folder)
  const done = new AbortController()
  const occupied = occupyThreads(done.signal)
  const { failures, service } = serve(folder)
  for (;;) {
    const socket = createConnection(path)
    const isThere = await once(socket, 'readable').then(
      () => true,
      () => false,
    )
    if (!isThere) continue
    service.send(EVENT)
    done.abort()
    const received = text(socket)
    await service[Symbol.asyncDispose]()
    t.equal(await received, `{"ready":true}\n${JSON.stringify(EVENT)}\n`)
    break
  }
  await occupied
  t.strictSame(failures, [])
})

t.test('a failure to open the socket is reported once, and tried again', async (t) => {
  const parent = await folderOf(t)
  await writeFile(join(parent, 'run'), '')
  const folder = join(parent, 'run')
  const { clock, failures, service } = serve(folder)
  await clock.pass(0)
  while (failures.length === 0) await clock.pass(0)
  t.match(failures, [/; until then other processes cannot watch this table$/])
  await clock.pass(RETRY)
  t.equal(failures.length, 1)
  t.equal(clock.isHeld, false, 'the wait keeps no process alive')
  await rm(folder)
  await mkdir(folder, { mode: 0o700 })
  await clock.pass(RETRY - 1)
  t.equal(await connect(folder), undefined)
  await clock.pass(RETRY)
  const socket = await reached(folder)
  socket.destroy()
  await service[Symbol.asyncDispose]()
})

t.test('the server ends during a wait, or with its signal', async (t) => {
  const parent = await folderOf(t)
  await writeFile(join(parent, 'run'), '')
  const first = serve(join(parent, 'run'))
  while (first.failures.length === 0) await first.clock.pass(0)
  await first.service[Symbol.asyncDispose]()
  await first.clock.pass(2 * RETRY)
  t.equal(first.failures.length, 1)
  const second = serve(join(parent, 'other'), AbortSignal.abort())
  await second.service[Symbol.asyncDispose]()
  t.equal(await connect(join(parent, 'other')), undefined)
})

t.test('of two services of a table one serves, and the other follows it', async (t) => {
  const folder = join(await folderOf(t), 'run')
  const first = serve(folder)
  await first.clock.pass(0)
  while (!first.service.isServing) await first.clock.pass(0)
  const second = serve(folder)
  await second.clock.pass(RETRY)
  t.equal(second.service.isServing, false)
  // As if both had found the path free at the same time.
  await rm(await socketPath('', 'knock', folder))
  t.equal(first.service.isServing, false)
  while (!second.service.isServing) await second.clock.pass(RETRY)
  await first.clock.pass(RETRY)
  t.equal(first.service.isServing, false)
  await second.service[Symbol.asyncDispose]()
  while (!first.service.isServing) await first.clock.pass(RETRY)
  await first.service[Symbol.asyncDispose]()
  t.equal(await connect(folder), undefined)
})

t.test('a service that yields leaves the socket to another, and else takes it again', async (t) => {
  const folder = join(await folderOf(t), 'run')
  const first = serve(folder)
  while (!first.service.isServing) await first.clock.pass(0)
  first.service.yield()
  t.equal(first.service.isServing, false)
  await first.clock.pass(2 * RETRY - 1)
  t.equal(first.service.isServing, false)
  while (!first.service.isServing) await first.clock.pass(RETRY)
  const second = serve(folder)
  await second.clock.pass(RETRY)
  second.service.yield()
  first.service.yield()
  while (!second.service.isServing) await second.clock.pass(RETRY)
  await first.clock.pass(4 * RETRY)
  t.equal(first.service.isServing, false)
  t.equal(second.service.isServing, true)
  await first.service[Symbol.asyncDispose]()
  await second.service[Symbol.asyncDispose]()
})

t.test('a service that yields while it opens the socket does not keep it', async (t) => {
  const folder = join(await folderOf(t), 'run')
  const { open } = EventSender
  const opened: ReturnType<typeof open>[] = []
  t.intercept(EventSender, 'open', {
    value: (path: string) => {
      if (opened.length === 0) service.yield()
      const sender = open.call(EventSender, path)
      opened.push(sender)
      return sender
    },
  })
  const { clock, service } = serve(folder)
  while (opened.length === 0) await clock.pass(0)
  await opened[0]
  await clock.pass(0)
  t.equal(service.isServing, false)
  while (!service.isServing) await clock.pass(RETRY)
  t.equal(opened.length, 2)
  await service[Symbol.asyncDispose]()
})
