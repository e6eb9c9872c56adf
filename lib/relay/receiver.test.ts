// What is received of a keeper: its events, whatever else comes, and nothing from an unsafe folder.
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { KnockEvent } from '../view/event.js'
import { requireSafe, socketPath } from './place.js'
import { connectToKeeper, receiveEvents } from './receiver.js'

async function folderOf(t: Test): Promise<string> {
  // The path of a socket has 107 bytes at the most.
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-relay-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function keeper(t: Test, path: string, say: (socket: Socket) => void): Promise<void> {
  const server = createServer(say).listen(path)
  t.teardown(() => server.close())
  await once(server, 'listening')
}

t.test('events are received, and other data is skipped', async (t) => {
  const path = join(await folderOf(t), 'a.sock')
  await keeper(t, path, (socket) => {
    socket.end('{"hello":1}\n{"event":"granted"}\nno json\n{"event":"closed"}\n{"event":"cut')
  })
  const socket = await connectToKeeper(path)
  if (!socket) return t.fail('no keeper')
  const events: KnockEvent[] = []
  for await (const event of receiveEvents(socket, new AbortController().signal)) events.push(event)
  t.same(events, [{ event: 'granted' }, { event: 'closed' }])
})

t.test('an abort ends the receiver before and during a wait', async (t) => {
  const path = join(await folderOf(t), 'b.sock')
  await keeper(t, path, (socket) => socket.write('{"hello":1}\n'))
  for (const isBefore of [true, false]) {
    const stop = new AbortController()
    const socket = await connectToKeeper(path)
    if (!socket) return t.fail('no keeper')
    if (isBefore) stop.abort()
    else setTimeout(() => stop.abort(), 20)
    const events: KnockEvent[] = []
    for await (const event of receiveEvents(socket, stop.signal)) events.push(event)
    t.same(events, [])
  }
})

t.test('the receiver reports a missing or ended keeper, and a folder of others', async (t) => {
  const folder = await folderOf(t)
  t.equal(await connectToKeeper(join(folder, 'none.sock')), undefined)
  const path = join(folder, 'c.sock')
  await keeper(t, path, (socket) => socket.end())
  t.equal(await connectToKeeper(path), undefined)
  await chmod(folder, 0o777)
  t.equal(await connectToKeeper(path), undefined)
  await t.rejects(requireSafe(folder), { message: /only root can write/ })
  await writeFile(join(folder, 'file'), '')
  await t.rejects(requireSafe(join(folder, 'file')), { message: /expected a folder/ })
})

t.test('the name of the socket has the network namespace and the table', async (t) => {
  const own = await socketPath('', 'knock', '/run/x')
  t.match(own, /^\/run\/x\/\d+-knock\.sock$/)
  t.equal(await socketPath('/proc/self/ns/net', 'knock', '/run/x'), own)
  await t.rejects(socketPath('nosuch-namespace', 'knock'), { code: 'ENOENT' })
})
