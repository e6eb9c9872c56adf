// Requests over a socket that a test answers: busy closings, failures, aborts, refusals, and dumps
// that are interrupted.
import { getEventListeners } from 'node:events'
import t from 'tap'
import {
  ackOf,
  doneOf,
  elementsOf,
  type FakeSocket,
  fakeOpen,
} from '../../../integration/captures/fake-socket.js'
import { NetlinkError } from '../../errors.js'
import { renderClose, renderOpen } from '../../nft/transaction.js'
import { NetlinkElements } from './netlink.js'

const set = { table: 'knock', set: 'grants_ssh_4' }
const change = (...hosts: number[]) => {
  const sources = hosts.map((host) => ({ family: 4, address: `10.0.0.${host}` }) as const)
  return { table: 'knock', sources, grants: 'grants_ssh', used: [] }
}
const open = (...hosts: number[]) => renderOpen(change(...hosts), 60)
const later = () => new Promise((resolve) => setImmediate(resolve))
const call = { operation: 'open' }

async function listed(elements: NetlinkElements, signal?: AbortSignal): Promise<string[]> {
  const keys: string[] = []
  for await (const part of elements.list(set, signal && { signal }))
    for (const { key } of part) keys.push(String(key))
  return keys
}

t.test('many at once are answered each, and an idle socket holds nothing', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const elements = new NetlinkElements(opener)
  const all = [elements.change(open(1)), elements.change(open(2)), elements.find(set, ['10.0.0.1'])]
  await later()
  const [socket] = sockets as [FakeSocket]
  t.equal(sockets.length, 1, 'one socket for all')
  t.equal(socket.sent.length, 3)
  t.equal(socket.isHeld, true)
  const [one, two, three] = socket.sent.map(({ last }) => last) as [number, number, number]
  socket.answer(ackOf(one))
  socket.answer(ackOf(two), elementsOf(three, [1]))
  t.match(await Promise.all(all), [undefined, undefined, [{ key: ['10.0.0.1'], expires: 60 }]])
  t.equal(socket.isHeld, false)
})

t.test('a refusal says what nft would', async (t) => {
  const { open: opener } = fakeOpen((socket) => {
    const errnos = [2, 1, 17, 23, 1000]
    socket.onSend = ({ first, last }) => {
      const errno = errnos.shift() ?? 0
      // The kernel refuses a message within the batch, and its answer to the last follows.
      socket.answer(ackOf(first + 1, errno), ackOf(last, 0))
    }
  })
  const elements = new NetlinkElements(opener)
  const codes = ['not-found', 'not-permitted', 'already-exists', 'rejected', 'rejected']
  const causes = ['ENOENT', 'EPERM', 'EEXIST', 'ENFILE', 'E1000']
  for (const [index, code] of codes.entries()) {
    const cause = { name: 'NetlinkError', code: causes[index] }
    await t.rejects(elements.change(open(1), call), { name: 'NftError', code, cause })
  }
  await elements.change(open(1))
})

t.test('a batch that is refused as a whole, and one that comes back cut', async (t) => {
  const { open: opener, sockets } = fakeOpen((socket) => {
    socket.onSend = ({ first, last }) => {
      if (socket.sent.length === 1) socket.answer(ackOf(first, 12), ackOf(last))
      else if (socket.sent.length === 2) {
        const refused = Buffer.concat([ackOf(last, 2), Buffer.alloc(30)])
        refused.writeUInt32LE(60_000, 0)
        socket.listener.message(refused, true)
      } else socket.answer(ackOf(last))
    }
  })
  const elements = new NetlinkElements(opener)
  await t.rejects(elements.change(open(1)), { code: 'rejected', cause: { code: 'ENOMEM' } })
  await t.rejects(elements.change(open(1)), { code: 'not-found' })
  await elements.change(open(1))
  t.equal(sockets.length, 1)
})

t.test('a socket that fails takes its requests with it; the next call opens another', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const elements = new NetlinkElements(opener)
  const pending = elements.change(open(1), call)
  const asked = elements.find(set, ['10.0.0.1'])
  await later()
  const [socket] = sockets as [FakeSocket]
  socket.listener.failed(new NetlinkError('overrun', 'netlink', 'No buffer space available'))
  const unknown = /^open: table inet knock: .*; whether the change was made is not known$/
  await t.rejects(pending, { name: 'NetlinkError', code: 'overrun', message: unknown })
  await t.rejects(asked, { code: 'overrun', message: /space available$/ })
  const next = elements.change(open(1))
  await later()
  t.equal(sockets.length, 2)
  sockets[1]?.answer(ackOf(sockets[1].sent[0]?.last ?? 0))
  await next
})

t.test('what is malformed ends the socket', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const elements = new NetlinkElements(opener)
  const pending = elements.change(open(1))
  await later()
  t.throws(() => sockets[0]?.answer(Uint8Array.of(1, 2, 3)), { code: 'malformed' })
  // The real socket catches that, closes, and says so.
  sockets[0]?.listener.failed(new NetlinkError('malformed', 'netlink', 'malformed'))
  await t.rejects(pending, { code: 'malformed' })
})

t.test('closed while busy', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const elements = new NetlinkElements(opener)
  const pending = [elements.change(open(1)), elements.require(set)]
  await later()
  elements.close()
  for (const call of pending) await t.rejects(call, { name: 'NetlinkError', code: 'socket' })
  t.equal(sockets[0]?.isOpen, false)
  await t.rejects(elements.change(open(1)), { code: 'socket', message: /closed$/ })
  const early = new NetlinkElements(opener)
  const opening = early.change(open(1))
  early.close()
  await t.rejects(opening, { code: 'socket' })
})

t.test('aborted before it is sent, and while it is under way', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const elements = new NetlinkElements(opener)
  const aborted = { name: 'NftError', code: 'aborted' }
  await t.rejects(elements.change(open(1), { signal: AbortSignal.abort() }), aborted)
  t.equal(sockets.length, 0)
  const stop = new AbortController()
  const pending = elements.change(open(1), { ...call, signal: stop.signal })
  const asked = elements.require(set, { signal: stop.signal })
  await later()
  stop.abort()
  await t.rejects(pending, { ...aborted, message: /whether the change was made is not known$/ })
  await t.rejects(asked, { ...aborted, message: /aborted$/ })
  const [socket] = sockets as [FakeSocket]
  const other = elements.change(open(2))
  for (const { last } of socket.sent) socket.answer(ackOf(last))
  await other
  t.equal(socket.isHeld, false)
})

t.test('one signal for very many', async (t) => {
  const { open: opener } = fakeOpen((socket) => {
    socket.onSend = ({ last }) => queueMicrotask(() => socket.answer(ackOf(last)))
  })
  const warnings: Error[] = []
  const warn = (warning: Error) => warnings.push(warning)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const elements = new NetlinkElements(opener)
  const { signal } = new AbortController()
  const changes = Array.from({ length: 100 }, (_, n) => elements.change(open(n), { signal }))
  await Promise.all(changes)
  await later()
  t.same(warnings, [])
  t.same(getEventListeners(signal, 'abort'), [])
})

t.test('no more is under way than what comes back fits', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const elements = new NetlinkElements(opener)
  const calls = Array.from({ length: 200 }, () => elements.change(renderClose(change(1))))
  await later()
  const [socket] = sockets as [FakeSocket]
  t.ok(socket.sent.length <= 64, `${socket.sent.length} sent`)
  for (let at = 0; at < 200; at += 1) socket.answer(ackOf(socket.sent[at]?.last ?? 0))
  await Promise.all(calls)
  const many = Array.from({ length: 3000 }, (_, index) => index % 256)
  await t.rejects(elements.change(open(...many)), { name: 'NetlinkError', code: 'EMSGSIZE' })
})

t.test('a dump comes part by part', async (t) => {
  const { open: opener, sockets } = fakeOpen((socket) => {
    socket.onSend = ({ last }) => {
      socket.answer(elementsOf(last, [1, 2]))
      socket.answer(elementsOf(last, [3]), doneOf(last))
    }
  })
  t.strictSame(await listed(new NetlinkElements(opener)), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  t.equal(sockets[0]?.isOpen, false)
})

t.test('who stops asking closes the socket', async (t) => {
  const { open: opener, sockets } = fakeOpen((socket) => {
    socket.onSend = ({ last }) => socket.answer(elementsOf(last, [1]))
  })
  for await (const _ of new NetlinkElements(opener).list(set)) break
  t.equal(sockets[0]?.isOpen, false)
})

t.test('a dump holds the process only while a part is waited for', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const parts = new NetlinkElements(opener).list(set)[Symbol.asyncIterator]()
  const next = parts.next()
  await later()
  const [socket] = sockets as [FakeSocket]
  t.equal(socket.isHeld, true)
  socket.answer(elementsOf(1, [1]))
  await next
  t.equal(socket.isHeld, false)
  const end = parts.next()
  t.equal(socket.isHeld, true)
  socket.answer(doneOf(1))
  t.same(await end, { done: true, value: undefined })
})

t.test('an interrupted dump is made again, and nothing comes twice', async (t) => {
  const passes = [
    (at: number) => [elementsOf(at, [1, 2], 0x10), doneOf(at, 0x10)],
    (at: number) => [elementsOf(at, [2]), doneOf(at, 0, 4)],
    // The kernel resized the set: one twice, so another one is missing.
    (at: number) => [elementsOf(at, [3, 1, 3]), doneOf(at)],
    (at: number) => [elementsOf(at, [4, 3, 2, 1]), doneOf(at)],
  ]
  const { open: opener, sockets } = fakeOpen((socket) => {
    socket.onSend = ({ last }) => socket.answer(...(passes[socket.sent.length - 1]?.(last) ?? []))
  })
  const keys = await listed(new NetlinkElements(opener))
  t.strictSame(keys, ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  t.equal(sockets[0]?.sent.length, 3, 'elements that move are no reason to go on for ever')
})

t.test('one that is interrupted again and again fails', async (t) => {
  const { open: opener } = fakeOpen((socket) => {
    socket.onSend = ({ last }) => socket.answer(elementsOf(last, [1], 0x10), doneOf(last))
  })
  await t.rejects(listed(new NetlinkElements(opener)), {
    name: 'NetlinkError',
    code: 'interrupted',
  })
})

t.test('a dump that is refused, fails or is aborted', async (t) => {
  const failing = (onSend: (socket: FakeSocket, last: number) => void) => {
    const { open: opener } = fakeOpen((socket) => {
      socket.onSend = ({ last }) => onSend(socket, last)
    })
    return new NetlinkElements(opener)
  }
  const refused = failing((socket, last) => socket.answer(ackOf(last, 2)))
  await t.rejects(listed(refused), { name: 'NftError', code: 'not-found' })
  const gone = failing((socket, last) => socket.answer(elementsOf(last, [1]), doneOf(last, 0, 2)))
  await t.rejects(listed(gone), { code: 'not-found' })
  const lost = failing(({ listener }) => {
    listener.failed(new NetlinkError('overrun', 'netlink', 'No buffer space available'))
  })
  await t.rejects(listed(lost), { code: 'overrun' })
  const stop = new AbortController()
  const stopped = failing(() => stop.abort())
  await t.rejects(listed(stopped, stop.signal), { name: 'NftError', code: 'aborted' })
})
