// A fake socket with nftables' notifications → the records that the change reader writes.
import { PassThrough } from 'node:stream'
import t from 'tap'
import { read } from '../../../integration/captures/fake-child.js'
import { fakeOpen } from '../../../integration/captures/fake-socket.js'
import {
  renderAttribute,
  renderMessage,
  renderNested,
} from '../../../integration/captures/messages.js'
import { FakeClock } from '../../../integration/fixtures/fake-clock.js'
import { NetlinkError } from '../../errors.js'
import { readChanges } from './change-reading.js'
import { ReaderOutput } from './reader-output.js'

const INET = 1
const text = (value: string) => Buffer.from(`${value}\0`)

function notification(kind: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  const payload = Buffer.concat([Buffer.from([INET, 0, 0, 0]), ...attributes])
  return renderMessage({ type: 0xa00 | kind, flags: 0, sequence: 0, port: 0, payload })
}

/** Renders the news that a set of the table knock has a new element. */
function newElement(set: string): Uint8Array {
  const key = renderNested(1, [renderAttribute(1, Uint8Array.of(10, 0, 0, 1))])
  const list = renderNested(3, [renderNested(1, [key])])
  return notification(12, renderAttribute(1, text('knock')), renderAttribute(2, text(set)), list)
}

const end = () => notification(15)

async function start() {
  const { open, sockets } = fakeOpen()
  const clock = new FakeClock()
  const stream = new PassThrough()
  await readChanges(new ReaderOutput(stream), { open, clock })
  const [socket] = sockets
  if (!socket) throw new Error('no socket was opened')
  const records = async (): Promise<unknown[]> => {
    await read()
    const lines = String(stream.read() ?? '').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
  return { socket, clock, records }
}

t.test('the reader is ready when it has joined the group of notifications', async (t) => {
  const { socket, records } = await start()
  t.same(socket.joined, [7])
  t.same(await records(), [{ ready: true }])
})

t.test('a transaction is reported at its end, and only grants one by one', async (t) => {
  const { socket, clock, records } = await start()
  await records()
  socket.answer(newElement('grants_ssh_4'), newElement('stage1_ssh_4'))
  t.same(await records(), [], 'the transaction is not over')
  socket.answer(end())
  const changed = { table: 'knock', event: 'changed', shape: false, more: false }
  const elements = [{ set: 'grants_ssh_4', key: '0a000001' }]
  t.same(await records(), [
    { changed: { ...changed, sets: ['stage1_ssh_4'], elements }, at: clock.date() },
  ])
})

t.test('a socket that fails is reported', async (t) => {
  const { socket, records } = await start()
  await records()
  const reason = 'watch: netlink socket: the receive buffer was full'
  socket.listener.failed(new NetlinkError('overrun', 'watch', reason))
  t.same(await records(), [{ failed: { code: 'overrun', reason } }])
})
