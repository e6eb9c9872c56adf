// An NFLOG group → a record for each logged packet. Reads a netlink socket, in its own process.
//
// It needs its own process because the package netlink ends its process if the kernel finds the
// receive buffer full. So it does as little as possible for each message, and never waits.
import { constants } from 'node:os'
import { parsePrefix } from '../../automaton/language/log-prefix.js'
import { type Clock, systemClock } from '../../clock/clock.js'
import { NetlinkError, type NetlinkErrorCode } from '../../errors.js'
import { tokenIn } from '../../spec/derive/carrier.js'
import { NETFILTER, type OpenSocket, openSocket } from '../netlink/socket.js'
import { type NetlinkMessage, parseMessages } from '../netlink/wire.js'
import {
  ANSWER,
  missingBefore,
  PACKET_MESSAGE,
  parseAnswer,
  parsePacket,
  renderBind,
  renderMode,
} from '../nflog/nflog.js'
import { formatService, parsePacketHead } from '../nflog/packet-head.js'
import { findGroupHolder } from './group-holder.js'
import type { ReaderOutput } from './reader-output.js'
import { fail, RECEIVE_BUFFER, type Settle } from './reader-process.js'
import type { ForeignRecord, LogRecord } from './records.js'

/** Bytes of each packet: enough for IPv6's header, some extensions and the ports. */
const BYTES = 128
/** Bytes of the longest message: the packet's part, the prefix, and other attributes. */
const MESSAGE_SIZE = 1024

/** The prefix of a grant with a user's name. */
const BY_TOKEN = /^\S+ \S+ granted .* [^ -]\S*$/

/** Milliseconds between two records about foreign messages. */
const FOREIGN_PAUSE = 1000

const OPERATION = 'watch'
/** The sequence number of the request for the group. Later requests have greater numbers. */
const BIND = 1

interface Parts {
  readonly open?: OpenSocket
  readonly clock?: Clock
  readonly findHolder?: typeof findGroupHolder
}

/**
 * Reports each packet that is logged to a group from now on. The kernel's answer makes it ready, or
 * is reported as the failure.
 *
 * @throws NetlinkError `socket`
 */
export const readLog = (group: number, output: ReaderOutput, parts: Parts = {}): Promise<Settle> =>
  new LogReader(group, output, parts).open()

class LogReader {
  readonly #output: ReaderOutput
  readonly #group: number
  readonly #open: OpenSocket
  readonly #clock: Clock
  readonly #findHolder: typeof findGroupHolder
  #last: number | undefined
  /** Foreign messages since the last record about them. */
  #foreign = 0
  /** Whether a record about foreign messages is due. */
  #isDue = false

  constructor(group: number, output: ReaderOutput, parts: Parts) {
    this.#group = group
    this.#output = output
    this.#open = parts.open ?? openSocket
    this.#clock = parts.clock ?? systemClock
    this.#findHolder = parts.findHolder ?? findGroupHolder
  }

  async open(): Promise<Settle> {
    const listener = {
      message: (bytes: Uint8Array) => {
        for (const message of parseMessages(bytes)) this.#take(message)
      },
      // The next message's number shows how many are missing.
      overrun: () => {},
      failed: (error: NetlinkError) => fail(this.#output, error),
    }
    const socket = await this.#open(
      {
        operation: OPERATION,
        protocol: NETFILTER,
        messageSize: MESSAGE_SIZE,
        receiveBuffer: RECEIVE_BUFFER,
      },
      listener,
    )
    socket.send(renderBind(this.#group, BYTES, BIND))
    // The answer comes after all packets that the kernel logged before it.
    return (number) => socket.send(renderMode(this.#group, BYTES, BIND + number))
  }

  #take({ type, payload, sequence }: NetlinkMessage): void {
    if (type === PACKET_MESSAGE) {
      this.#report(payload)
    } else if (type === ANSWER) {
      const errno = parseAnswer(payload)
      // Also if the answer is an error: everything that was logged before it has been read.
      if (sequence !== BIND) this.#output.report({ settled: sequence - BIND })
      else if (errno === 0) this.#output.report({ ready: true })
      else fail(this.#output, this.#refusal(errno))
    }
  }

  #report(message: Uint8Array): void {
    const { prefix, payload, sequence, mark } = parsePacket(message)
    if (sequence !== undefined) {
      const missing = missingBefore(sequence, this.#last)
      if (missing > 0) this.#output.lose(missing)
      this.#last = sequence
    }
    const logged = parsePrefix(prefix)
    if (!logged) {
      this.#refuse()
      return
    }
    const head = parsePacketHead(payload)
    const service = head && formatService(head)
    const token = BY_TOKEN.test(prefix) && head?.data ? tokenIn(head.data) : undefined
    const record: LogRecord = {
      logged: prefix,
      at: this.#clock.date(),
      ...(head && { source: head.source }),
      ...(service !== undefined && { service }),
      ...(token && { token: Buffer.from(token).toString('hex') }),
      ...(logged.shared && { mark }),
    }
    this.#output.report(record)
  }

  /** Counts a foreign message. However many come, they make at most one line in a second. */
  #refuse(): void {
    this.#foreign += 1
    if (this.#isDue) return
    this.#isDue = true
    this.#clock.after(FOREIGN_PAUSE, () => {
      const record: ForeignRecord = { foreign: this.#foreign }
      this.#isDue = false
      if (this.#output.offer(record)) this.#foreign = 0
    })
  }

  /** Tells apart why the kernel says EPERM: the group is taken, or permission is missing. */
  #refusal(errno: number): NetlinkError {
    const { EPERM, EBUSY } = constants.errno
    const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0]
    const holder = errno === EPERM || errno === EBUSY ? this.#findHolder(this.#group) : undefined
    if (!holder) {
      const code = (name ?? 'socket') as NetlinkErrorCode
      return new NetlinkError(code, OPERATION, `the kernel refused it: ${name ?? errno}`)
    }
    const { process } = holder
    const who = process ? `process ${process.id} (${process.name})` : 'another process'
    return new NetlinkError('EBUSY', OPERATION, `${who} has it already`)
  }
}
