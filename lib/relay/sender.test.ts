// What a keeper hands on → what those who watch get; and whose socket is replaced.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { KnockEvent } from '../view/event.js'
import { connectToKeeper, receiveEvents } from './receiver.js'
import { EventSender } from './sender.js'

const closed = (number: number): KnockEvent => {
  return { time: 'now', event: 'closed', door: 'ssh', source: `10.0.0.${number}`, by: 'call' }
}

/** The kernel takes a socket's path of 107 bytes at the most. */
async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

const pathIn = (folder: string): string => join(folder, 'run', 'knock.sock')

async function watch(path: string): Promise<AsyncGenerator<KnockEvent, void>> {
  const socket = (await connectToKeeper(path)) as Socket
  return receiveEvents(socket, new AbortController().signal)
}

async function take(events: AsyncGenerator<KnockEvent, void>, most: number) {
  const taken: KnockEvent[] = []
  for await (const event of events) if (taken.push(event) === most) break
  return taken
}

t.test('each watcher gets the same events, whatever other watchers do', async (t) => {
  const path = pathIn(await folderOf(t))
  await using sender = (await EventSender.open(path)) as EventSender
  t.equal((await stat(join(path, '..'))).mode & 0o777, 0o700)
  const garbage = createConnection(path)
  garbage.on('error', () => {})
  garbage.write('GET / HTTP/1.1\r\n\r\n'.repeat(1000))
  const watchers = await Promise.all([watch(path), watch(path), watch(path)])
  const sent = [1, 2, 3].map(closed)
  for (const event of sent) sender.send(event)
  for (const events of watchers) t.strictSame(await take(events, 3), sent)
  garbage.destroy()
})

t.test('few events wait for a watcher that does not read, and the rest is counted', async (t) => {
  const path = pathIn(await folderOf(t))
  await using sender = (await EventSender.open(path)) as EventSender
  const slow = (await connectToKeeper(path)) as Socket
  const event = { ...closed(1), source: 'x'.repeat(1000) }
  const before = process.memoryUsage.rss()
  for (let sent = 0; sent < 50_000; sent += 1) sender.send(event)
  t.ok(
    process.memoryUsage.rss() - before < 30e6,
    'memory stays small although fifty megabytes were sent',
  )
  let [got, lost] = [0, 0]
  for await (const found of receiveEvents(slow, new AbortController().signal)) {
    if (found.event === 'overrun') lost += found.lost ?? 0
    else got += 1
    if (got + lost === 50_000) break
  }
  t.ok(lost > 40_000, 'all lost events are reported')
})

t.test('only an unused socket is replaced', async (t) => {
  const path = pathIn(await folderOf(t))
  const first = (await EventSender.open(path)) as EventSender
  t.equal(await EventSender.open(path), undefined, 'a socket in use is not replaced')
  await first[Symbol.asyncDispose]()
  t.notOk(existsSync(path))
  // A process that is killed leaves its socket behind.
  const script =
    `require('net').createServer().listen(${JSON.stringify(path)}, () => ` +
    'process.kill(process.pid, 9))'
  await once(spawn(process.execPath, ['-e', script]), 'close')
  t.ok(existsSync(path))
  const next = (await EventSender.open(path)) as EventSender
  next.send(closed(1))
  t.ok(await connectToKeeper(path))
  await next[Symbol.asyncDispose]()
  await writeFile(path, 'a note')
  await t.rejects(EventSender.open(path), /expected a socket or nothing/)
  t.ok(existsSync(path))
})

t.test('a folder that others may write is not used', async (t) => {
  const folder = await folderOf(t)
  await mkdir(join(folder, 'run'))
  await chmod(join(folder, 'run'), 0o777)
  await t.rejects(EventSender.open(pathIn(folder)), /only root can write/)
  t.equal(await connectToKeeper(pathIn(folder)), undefined)
})
