import t from 'tap'
import { later, set } from '../../../integration/captures/elements.js'
import {
  ackOf,
  doneOf,
  elementsOf,
  type FakeSocket,
  fakeOpen,
} from '../../../integration/captures/fake-socket.js'
import { NetlinkError } from '../../errors.js'
import { NetlinkElements } from './netlink.js'

async function listed(elements: NetlinkElements, signal?: AbortSignal): Promise<string[]> {
  const keys: string[] = []
  for await (const part of elements.list(set, signal && { signal }))
    for (const { key } of part) keys.push(String(key))
  return keys
}

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

t.test('leaving the iteration closes the socket', async (t) => {
  const { open: opener, sockets } = fakeOpen((socket) => {
    socket.onSend = ({ last }) => socket.answer(elementsOf(last, [1]))
  })
  for await (const _ of new NetlinkElements(opener).list(set)) break
  t.equal(sockets[0]?.isOpen, false)
})

t.test('a dump keeps the process alive only while a part is awaited', async (t) => {
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

t.test('an interrupted dump starts over, and no element comes twice', async (t) => {
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
  t.equal(sockets[0]?.sent.length, 3, 'moving elements do not make it start over forever')
})

t.test('a dump that is always interrupted fails', async (t) => {
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
