// A fake netlink socket in memory: keeps what is sent, and answers what the test says.
import type { NetlinkSocket, OpenSocket, SocketListener } from '../../lib/kernel/netlink/socket.js'
import { renderAttribute, renderMessage, renderNested } from './messages.js'
import { readMessages } from './reading.js'

/** The sequence numbers of a request's first and last message, without a batch's end. */
export interface Sent {
  readonly first: number
  readonly last: number
}

export class FakeSocket implements NetlinkSocket {
  readonly port = 1
  readonly receiveBuffer: number
  readonly listener: SocketListener
  readonly sent: Sent[] = []
  /** The groups to which it listens. */
  readonly joined: number[] = []
  /** Whether it keeps the process alive. */
  isHeld = true
  isOpen = true
  onSend: (sent: Sent) => void = () => undefined

  constructor(listener: SocketListener, receiveBuffer = 212_992) {
    this.listener = listener
    this.receiveBuffer = receiveBuffer
  }

  send(bytes: Uint8Array): void {
    const messages = readMessages(Buffer.from(bytes)).filter(({ type }) => type !== 0x11)
    const sent = { first: messages[0]?.sequence ?? 0, last: messages.at(-1)?.sequence ?? 0 }
    this.sent.push(sent)
    this.onSend(sent)
  }

  join(group: number): void {
    this.joined.push(group)
  }

  ref(): void {
    this.isHeld = true
  }

  unref(): void {
    this.isHeld = false
  }

  close(): void {
    this.isOpen = false
  }

  /** Delivers messages as the kernel's answer. */
  answer(...messages: readonly Uint8Array[]): void {
    if (this.isOpen) this.listener.message(Buffer.concat(messages), false)
  }
}

/** Makes an `open` that opens fake sockets and keeps them. */
export function fakeOpen(onOpen: (socket: FakeSocket) => void = () => undefined): {
  open: OpenSocket
  sockets: FakeSocket[]
} {
  const sockets: FakeSocket[] = []
  const open: OpenSocket = async (_options, listener) => {
    const socket = new FakeSocket(listener)
    sockets.push(socket)
    onOpen(socket)
    return socket
  }
  return { open, sockets }
}

const message = (type: number, flags: number, sequence: number, payload: Uint8Array) =>
  renderMessage({ type, flags, sequence, port: 1, payload })

/** Makes an acknowledgement; with an errno, a refusal. */
export function ackOf(sequence: number, errno = 0): Uint8Array {
  const payload = Buffer.alloc(20)
  payload.writeInt32LE(-errno || 0)
  payload.writeUInt32LE(16, 4)
  return message(2, 0, sequence, payload)
}

/** Makes the message that ends a dump. */
export function doneOf(sequence: number, flags = 0, errno = 0): Uint8Array {
  const payload = Buffer.alloc(4)
  payload.writeInt32LE(-errno || 0)
  return message(3, flags, sequence, payload)
}

/** Makes a message with the elements 10.0.0.x of a set, each with a minute left. */
export function elementsOf(sequence: number, hosts: readonly number[], flags = 0): Uint8Array {
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(60_000n)
  const elements = hosts.map((host) =>
    renderNested(1, [
      renderNested(1, [renderAttribute(1, Uint8Array.of(10, 0, 0, host))]),
      renderAttribute(5, time),
    ]),
  )
  const list = renderNested(3, elements)
  return message(0xa0c, flags, sequence, Buffer.concat([Uint8Array.of(1, 0, 0, 0), list]))
}
