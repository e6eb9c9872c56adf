// A fake of the package netlink → what a socket sends, delivers, and reports.
import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { NetlinkError } from '../../errors.js'
import { NETFILTER, openSocket, type SocketListener } from './socket.js'

type Load = NonNullable<Parameters<typeof openSocket>[2]>
type Sent = (error?: Error) => void

/** A socket of the package. Fails as a test says. */
class RawFake extends EventEmitter {
  readonly given: readonly unknown[]
  readonly sent: Uint8Array[] = []
  readonly groups: number[] = []
  /** What was called, in order. */
  readonly calls: string[] = []
  /** Thrown by the next call. */
  obstacle: Error | undefined
  #answer: Sent = () => undefined

  constructor(...given: readonly unknown[]) {
    super()
    this.given = given
  }

  address() {
    return { port: 77, groups: 0 }
  }

  getRecvBufferSize(): number {
    return 4096
  }

  send(bytes: Uint8Array, _options: undefined, sent: Sent): void {
    this.#meet()
    this.sent.push(bytes)
    this.#answer = sent
  }

  /** Says whether the last message could be sent. */
  answer(error?: Error): void {
    this.#answer(error)
  }

  addMembership(group: number): void {
    this.#meet()
    this.groups.push(group)
  }

  ref(): void {
    this.calls.push('ref')
  }

  unref(): void {
    this.calls.push('unref')
  }

  close(): void {
    this.calls.push('close')
    this.#meet()
  }

  #meet(): void {
    if (this.obstacle) throw this.obstacle
  }
}

const codeError = (code: string) => Object.assign(new Error(`it said ${code}`), { code })

/** Opens a socket on a fake of the package. */
async function open(parts: Partial<SocketListener> = {}) {
  const raws: RawFake[] = []
  const heard: unknown[] = []
  class RawNetlinkSocket extends RawFake {
    constructor(...given: readonly unknown[]) {
      super(...given)
      raws.push(this)
    }
  }
  const load = (async () => ({ RawNetlinkSocket })) as unknown as Load
  const listener = {
    message: (bytes: Uint8Array, isCut: boolean) => void heard.push([...bytes, isCut]),
    failed: (error: NetlinkError) => void heard.push(error),
    ...parts,
  }
  const options = { operation: 'open', protocol: NETFILTER, messageSize: 512, receiveBuffer: 9 }
  const socket = await openSocket(options, listener, load)
  return { socket, raw: raws[0] as RawFake, heard }
}

t.test('a socket has the sizes that were asked for, and the address that it got', async (t) => {
  const { socket, raw } = await open()
  const sizes = { msgBufferSize: 512, recvBufferSize: 9, sendBufferSize: 0 }
  t.same(raw.given, [NETFILTER, { messagePeeking: false, ...sizes }])
  t.equal(socket.port, 77)
  t.equal(socket.receiveBuffer, 4096)
})

t.test('messages are delivered, and those that were cut are marked', async (t) => {
  const { socket, raw, heard } = await open()
  raw.emit('message', Uint8Array.of(1, 2))
  raw.emit('truncatedMessage', Uint8Array.of(3))
  socket.close()
  raw.emit('message', Uint8Array.of(4))
  t.same(heard, [
    [1, 2, false],
    [3, true],
  ])
})

t.test('bytes are sent until the socket is closed', async (t) => {
  const { socket, raw, heard } = await open()
  socket.send(Uint8Array.of(1))
  raw.answer()
  socket.close()
  socket.send(Uint8Array.of(2))
  t.same(raw.sent, [Uint8Array.of(1)])
  t.same(heard, [])
})

t.test('a socket joins a group, or says that it may not', async (t) => {
  const { socket, raw } = await open()
  socket.join(7)
  t.same(raw.groups, [7])
  raw.obstacle = new Error('not permitted')
  const message = 'open: netlink socket: not permitted'
  t.throws(() => socket.join(8), { name: 'NetlinkError', code: 'socket', message })
})

t.test('an open socket can keep the process alive, a closed one cannot', async (t) => {
  const { socket, raw } = await open()
  socket.unref()
  socket.ref()
  socket.close()
  socket.unref()
  socket.ref()
  t.same(raw.calls, ['unref', 'ref'])
})

t.test('a socket is closed once, and after the callback that is running', async (t) => {
  const { socket, raw } = await open()
  raw.obstacle = new Error('closed already')
  socket.close()
  socket.close()
  t.same(raw.calls, [], 'not yet')
  await turn()
  t.same(raw.calls, ['close'])
})

t.test('a failure to send or to read is reported once, and closes the socket', async (t) => {
  const failures: Record<string, (raw: RawFake, send: () => void) => void> = {
    'send throws': (raw, send) => {
      raw.obstacle = codeError('ENOMEM')
      send()
    },
    'send fails later': (raw, send) => {
      send()
      raw.answer(codeError('ENOMEM'))
    },
    'reading fails': (raw) => void raw.emit('error', codeError('ENOMEM')),
  }
  for (const [name, fail] of Object.entries(failures)) {
    const { socket, raw, heard } = await open()
    fail(raw, () => socket.send(Uint8Array.of(1)))
    raw.emit('error', codeError('EIO'))
    t.match(heard, [{ code: 'ENOMEM', message: 'open: netlink socket: it said ENOMEM' }], name)
    t.equal(heard.length, 1, name)
    raw.obstacle = undefined
    await turn()
    t.same(raw.calls, ['close'], name)
  }
})

t.test('a failure without an error code of the system is one of the socket', async (t) => {
  for (const error of [codeError('lowercase'), new Error('none'), 'text']) {
    const { raw, heard } = await open()
    raw.emit('error', error)
    t.match(heard, [{ code: 'socket' }])
  }
})

t.test('a full receive buffer fails the socket unless the listener accepts it', async (t) => {
  const { raw, heard } = await open()
  raw.emit('error', codeError('ENOBUFS'))
  t.match(heard, [{ code: 'overrun' }])
  const overruns: string[] = []
  const patient = await open({ overrun: () => void overruns.push('overrun') })
  patient.raw.emit('error', codeError('ENOBUFS'))
  patient.raw.emit('message', Uint8Array.of(1))
  t.same(overruns, ['overrun'])
  t.same(patient.heard, [[1, false]], 'the socket goes on')
})

t.test('a listener that throws fails the socket, with its own error if it has one', async (t) => {
  const own = new NetlinkError('malformed', 'open', 'the message is cut')
  const throws = (error: Error) => ({
    message: () => {
      throw error
    },
  })
  const first = await open(throws(own))
  first.raw.emit('message', Uint8Array.of(1))
  t.same(first.heard, [own])
  const second = await open(throws(new Error('a bug')))
  second.raw.emit('message', Uint8Array.of(1))
  t.match(second.heard, [{ code: 'socket', message: 'open: netlink socket: a bug' }])
})

t.test('a listener whose report throws does not end the process', async (t) => {
  const failed = () => {
    throw new Error('nobody listens')
  }
  const { raw } = await open({ failed })
  t.doesNotThrow(() => raw.emit('error', codeError('EIO')))
})

t.test('a socket that cannot be opened is refused with the reason', async (t) => {
  const options = { operation: 'open', protocol: NETFILTER }
  const listener = { message() {}, failed() {} }
  const load = () => Promise.reject(codeError('EMFILE'))
  const message = 'open: netlink socket: it said EMFILE'
  await t.rejects(openSocket(options, listener, load), { code: 'socket', message })
  const lost = () => Promise.reject(codeError('ERR_MODULE_NOT_FOUND'))
  const error = await openSocket(options, listener, lost).catch((error: unknown) => error)
  t.type(error, NetlinkError)
  t.notMatch((error as NetlinkError).cause, { name: 'CapabilityError' }, 'netlink is installed')
})
