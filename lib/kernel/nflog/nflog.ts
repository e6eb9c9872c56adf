// Requests for an NFLOG group → messages; messages → logged packets. Pure
// (include/uapi/linux/netfilter/nfnetlink_log.h).
import { FLAG, MESSAGE, NFGEN_HEADER, SUBSYSTEM } from '../netlink/numbers.js'
import { IS_LITTLE, MessageWriter, parseAttributes } from '../netlink/wire.js'

export const PACKET_MESSAGE = SUBSYSTEM.ulog
const CONFIG_MESSAGE = SUBSYSTEM.ulog | 1
/** The type of the answer to a request, also if the request succeeded. */
export const ANSWER = MESSAGE.error

const CONFIG = { command: 1, mode: 2, bufferSize: 3, threshold: 5, flags: 6 } as const
const BIND = 1
const COPY_PACKET = 2
/** NFULNL_CFG_F_SEQ: each message has a number, one more than the message before. */
const NUMBERED = 1

const PACKET = { mark: 2, payload: 9, prefix: 10, sequence: 12 } as const

/** What the kernel logs of a packet. */
interface LoggedPacket {
  readonly prefix: string
  /** The packet's first bytes, from the IP header on. */
  readonly payload: Uint8Array
  /** Counts from 0; wraps at 2^32. */
  readonly sequence: number | undefined
  /** The packet's mark; 0 if it has none. */
  readonly mark: number
}

const big = (bits: 16 | 32, value: number): Uint8Array => {
  const bytes = new Uint8Array(bits / 8)
  const view = new DataView(bytes.buffer)
  if (bits === 16) view.setUint16(0, value)
  else view.setUint32(0, value)
  return bytes
}

/**
 * Asks for a group: numbered messages, each with at most `bytes` of its packet. The kernel answers
 * with an acknowledgement, or with EPERM if another socket has the group.
 */
export const renderBind = (group: number, bytes: number, sequence: number): Uint8Array =>
  renderConfig(group, sequence, (writer) => {
    writer.attribute(CONFIG.command, new Uint8Array([BIND]))
    writeMode(writer, bytes)
    // Each message gets only the memory that it needs. By default it gets a page, and the receive
    // buffer holds a quarter as many.
    writer.attribute(CONFIG.bufferSize, big(32, 1))
    // One message in a datagram, also for rules that ask for more. So a datagram's size is bounded.
    writer.attribute(CONFIG.threshold, big(32, 1))
    writer.attribute(CONFIG.flags, big(16, NUMBERED))
  })

/**
 * Repeats the number of bytes. That changes nothing, but its acknowledgement comes after everything
 * that was logged before.
 */
export const renderMode = (group: number, bytes: number, sequence: number): Uint8Array =>
  renderConfig(group, sequence, (writer) => writeMode(writer, bytes))

const writeMode = (writer: MessageWriter, bytes: number): void =>
  writer.attribute(CONFIG.mode, new Uint8Array([...big(32, bytes), COPY_PACKET, 0]))

function renderConfig(
  group: number,
  sequence: number,
  write: (writer: MessageWriter) => void,
): Uint8Array {
  const writer = new MessageWriter()
  writer.begin(CONFIG_MESSAGE, FLAG.request | FLAG.ack, sequence)
  writer.bytes(new Uint8Array([0, 0, ...big(16, group)]))
  write(writer)
  writer.end()
  return writer.take()
}

/** Returns the errno of an answer; 0: success. */
export const parseAnswer = (payload: Uint8Array): number =>
  -new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getInt32(0, IS_LITTLE)

/** Parses a message about a logged packet. @throws NetlinkError `malformed` */
export function parsePacket(message: Uint8Array): LoggedPacket {
  let prefix = ''
  let payload = new Uint8Array()
  let sequence: number | undefined
  let mark = 0
  for (const { type, value } of parseAttributes(message.subarray(NFGEN_HEADER))) {
    if (type === PACKET.prefix) prefix = readText(value)
    else if (type === PACKET.payload) payload = new Uint8Array(value)
    else if (type === PACKET.sequence && value.length === 4) sequence = readNumber(value)
    else if (type === PACKET.mark && value.length === 4) mark = readNumber(value)
  }
  return { prefix, payload, sequence, mark }
}

const readNumber = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)

/** Reads C text, with or without the zero byte at its end. */
function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)))
}

/** Returns how many messages are missing before this one; 0 for the first. */
export const missingBefore = (sequence: number, last: number | undefined): number =>
  last === undefined ? 0 : (sequence - last - 1) >>> 0
