// A fake socket with NFLOG's messages → the records that the log reader writes.
import { constants } from 'node:os'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { read } from '../../../integration/captures/fake-child.js'
import { ackOf, fakeOpen } from '../../../integration/captures/fake-socket.js'
import { renderAttribute, renderMessage } from '../../../integration/captures/messages.js'
import { FakeClock } from '../../../integration/fixtures/fake-clock.js'
import { NetlinkError } from '../../errors.js'
import { PACKET_MESSAGE } from '../nflog/nflog.js'
import { readLog } from './log-reading.js'
import { ReaderOutput } from './reader-output.js'

const GROUP = 5
/** UDP from 127.0.0.1 to port 7000 with the 16 bytes of a token. */
const DATAGRAM = [
  '4500002c584c40004011e4727f0000017f000001b7191b580018fe2b',
  '30313233343536373839616263646566',
].join('')
const TOKEN = '30313233343536373839616263646566'

/** Renders the message about a packet. */
function logged(prefix: string, sequence: number, packet = DATAGRAM, mark?: number): Uint8Array {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(sequence)
  const marked = Buffer.alloc(4)
  marked.writeUInt32BE(mark ?? 0)
  const payload = Buffer.concat([
    Buffer.from([2, 0, 0, GROUP]),
    ...(mark === undefined ? [] : [renderAttribute(2, marked)]),
    renderAttribute(10, Buffer.from(`${prefix}\0`)),
    renderAttribute(12, number),
    renderAttribute(9, Buffer.from(packet, 'hex')),
  ])
  return renderMessage({ type: PACKET_MESSAGE, flags: 0, sequence: 0, port: 0, payload })
}

/** Starts a log reader on a fake socket. */
async function start({ findHolder = () => undefined, most, highWaterMark }: Setting = {}) {
  const { open, sockets } = fakeOpen()
  const clock = new FakeClock()
  const stream = new PassThrough(highWaterMark ? { highWaterMark } : {})
  const output = new ReaderOutput(stream, most)
  const settle = await readLog(GROUP, output, { open, clock, findHolder })
  const [socket] = sockets
  if (!socket) throw new Error('no socket was opened')
  /** Reads the records that were written since the last call. */
  const records = async (): Promise<unknown[]> => {
    await read()
    const lines = String(stream.read() ?? '').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
  return { socket, settle, clock, records }
}

type Holder = NonNullable<Parameters<typeof readLog>[2]>['findHolder']
interface Setting {
  readonly findHolder?: NonNullable<Holder>
  /** The most records that wait. */
  readonly most?: number
  /** Bytes after which the stream takes no more until it is read. */
  readonly highWaterMark?: number
}

t.test('the reader is ready when the kernel has acknowledged the group', async (t) => {
  const { socket, records } = await start()
  t.same(socket.sent, [{ first: 1, last: 1 }])
  t.same(await records(), [])
  socket.answer(ackOf(1))
  t.same(await records(), [{ ready: true }])
})

t.test('a logged packet is reported with its source, its service and its token', async (t) => {
  const { socket, clock, records } = await start()
  const at = clock.date()
  const granted = 'kl knock granted ssh open 1/1 ana'
  const dropped = 'kl knock knock ssh open 1/3 -'
  socket.answer(logged(granted, 0), logged(dropped, 1), logged(dropped, 2, '45'))
  const packet = { source: '127.0.0.1', service: 'udp/7000' }
  t.same(await records(), [
    { logged: granted, at, ...packet, token: TOKEN },
    { logged: dropped, at, ...packet },
    { logged: dropped, at },
  ])
})

t.test('the mark is reported for a packet at shared doors alone', async (t) => {
  const { socket, clock, records } = await start()
  const at = clock.date()
  const shared = 'kl knock knock * - - -'
  const own = 'kl knock knock ssh open 1/3 -'
  const mark = 0xfedcba41
  socket.answer(logged(shared, 0, '', mark), logged(own, 1, '', mark))
  t.same(await records(), [
    { logged: shared, at, mark },
    { logged: own, at },
  ])
})

t.test('packets that the kernel could not deliver are counted by the gap', async (t) => {
  const { socket, clock, records } = await start()
  const at = clock.date()
  const prefix = 'kl knock knock ssh open 1/3 -'
  socket.listener.overrun?.()
  socket.answer(logged(prefix, 7, ''), logged(prefix, 10, ''))
  t.same(await records(), [{ logged: prefix, at }, { lost: 2 }, { logged: prefix, at }])
})

t.test('foreign packets make one record a second', async (t) => {
  const { socket, clock, records } = await start()
  for (let n = 0; n < 3; n += 1) socket.answer(logged('somebody else: ', n))
  await clock.pass(999)
  t.same(await records(), [], 'not at once')
  await clock.pass(1)
  t.same(await records(), [{ foreign: 3 }])
  socket.answer(logged('somebody else: ', 3))
  await clock.pass(1000)
  t.same(await records(), [{ foreign: 1 }])
})

t.test('foreign packets are counted on while there is no room for their record', async (t) => {
  const { socket, clock, records } = await start({ most: 1, highWaterMark: 1 })
  const at = clock.date()
  const prefix = 'kl knock knock ssh open 1/3 -'
  socket.answer(ackOf(1))
  await read()
  socket.answer(logged(prefix, 0, ''), logged('somebody else: ', 1))
  await clock.pass(1000)
  t.same(await records(), [{ ready: true }, { logged: prefix, at }])
  socket.answer(logged('somebody else: ', 2))
  await clock.pass(1000)
  t.same(await records(), [{ foreign: 2 }])
})

t.test('a question is answered after all that was logged before it', async (t) => {
  const { socket, settle, records } = await start()
  settle(3)
  t.same(socket.sent.at(-1), { first: 4, last: 4 }, 'asks the kernel')
  socket.answer(ackOf(4))
  t.same(await records(), [{ settled: 3 }])
  settle(4)
  socket.answer(ackOf(5, constants.errno.ENOMEM))
  t.same(await records(), [{ settled: 4 }], 'also if the kernel refuses')
})

t.test('the process that has the group is named', async (t) => {
  const { EPERM, EBUSY } = constants.errno
  const held = async (errno: number, holder: ReturnType<NonNullable<Holder>>) => {
    const { socket, records } = await start({ findHolder: () => holder })
    socket.answer(ackOf(1, errno))
    return records()
  }
  const failed = (code: string, reason: string) => [{ failed: { code, reason } }]
  const known = { process: { id: 812, name: 'ulogd -d' } }
  t.same(await held(EPERM, known), failed('EBUSY', 'process 812 (ulogd -d) has it already'))
  t.same(await held(EBUSY, {}), failed('EBUSY', 'another process has it already'))
  t.same(await held(EPERM, undefined), failed('EPERM', 'the kernel refused it: EPERM'))
  const { ENOMEM } = constants.errno
  t.same(await held(ENOMEM, known), failed('ENOMEM', 'the kernel refused it: ENOMEM'))
  t.same(await held(4095, known), failed('socket', 'the kernel refused it: 4095'))
})

t.test('a socket that fails is reported', async (t) => {
  const { socket, records } = await start()
  socket.listener.failed(new NetlinkError('EIO', 'watch', 'watch: netlink socket: read'))
  t.same(await records(), [{ failed: { code: 'EIO', reason: 'watch: netlink socket: read' } }])
})
