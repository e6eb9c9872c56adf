// Changes and questions through a socket in memory: answered, refused, aborted.
import { getEventListeners } from 'node:events'
import t from 'tap'
import { change, later, open, set } from '../../../integration/captures/elements.js'
import {
  ackOf,
  elementsOf,
  type FakeSocket,
  fakeOpen,
} from '../../../integration/captures/fake-socket.js'
import { NetlinkError } from '../../errors.js'
import { renderClose } from '../../nft/transaction.js'
import { NetlinkElements } from './netlink.js'

const call = { operation: 'open' }

t.test(
  'each of many calls gets its answer, and an idle socket does not keep the process alive',
  async (t) => {
    const { open: opener, sockets } = fakeOpen()
    const elements = new NetlinkElements(opener)
    const all = [
      elements.change(open(1)),
      elements.change(open(2)),
      elements.find(set, ['10.0.0.1']),
    ]
    await later()
    const [socket] = sockets as [FakeSocket]
    t.equal(sockets.length, 1, 'one socket for all calls')
    t.equal(socket.sent.length, 3)
    t.equal(socket.isHeld, true)
    const [one, two, three] = socket.sent.map(({ last }) => last) as [number, number, number]
    socket.answer(ackOf(one))
    socket.answer(ackOf(two), elementsOf(three, [1]))
    t.match(await Promise.all(all), [undefined, undefined, [{ key: ['10.0.0.1'], expires: 60 }]])
    t.equal(socket.isHeld, false)
  },
)

t.test('a refusal gives the same error as by nft', async (t) => {
  const { open: opener } = fakeOpen((socket) => {
    const errnos = [2, 1, 17, 23, 1000]
    socket.onSend = ({ first, last }) => {
      const errno = errnos.shift() ?? 0
      // The kernel refuses a message within the batch. The answer to the last one follows.
      socket.answer(ackOf(first + 1, errno), ackOf(last, 0))
    }
  })
  const elements = new NetlinkElements(opener)
  const codes = ['not-found', 'not-permitted', 'already-exists', 'rejected', 'rejected']
  const causes = ['ENOENT', 'EPERM', 'EEXIST', 'ENFILE', 'E1000']
  for (const [index, code] of codes.entries()) {
    const cause = { name: 'NetlinkError', code: causes[index] }
    const message = causes[index] === 'ENFILE' ? /: a set is full; guard\.capacity/ : /: /
    await t.rejects(elements.change(open(1), call), { name: 'NftError', code, message, cause })
  }
  await elements.change(open(1))
})

t.test('a batch that is refused as a whole, and a refusal that was cut', async (t) => {
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

t.test('if a socket fails, its requests fail, and the next call opens another', async (t) => {
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

t.test('a malformed answer ends the socket', async (t) => {
  const { open: opener, sockets } = fakeOpen()
  const elements = new NetlinkElements(opener)
  const pending = elements.change(open(1))
  await later()
  t.throws(() => sockets[0]?.answer(Uint8Array.of(1, 2, 3)), { code: 'malformed' })
  // The real socket catches that, closes, and calls `failed`.
  sockets[0]?.listener.failed(new NetlinkError('malformed', 'netlink', 'malformed'))
  await t.rejects(pending, { code: 'malformed' })
})

t.test('closed while a call is under way', async (t) => {
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

t.test('one signal for very many calls', async (t) => {
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

t.test('no more is under way than the receive buffer holds if all is refused', async (t) => {
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
