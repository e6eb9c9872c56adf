// Requests for an NFLOG group → messages; messages → logged packets. Pure
// (include/uapi/linux/netfilter/nfnetlink_log.h).
import { FLAG, MESSAGE, NFGEN_HEADER, SUBSYSTEM } from '../netlink/numbers.js'
import { IS_LITTLE, MessageWriter, parseAttributes } from '../netlink/wire.js'

export const PACKET_MESSAGE = SUBSYSTEM.ulog
const CONFIG_MESSAGE = SUBSYSTEM.ulog | 1
/** The answer to a request, also if all went well. */
export const ANSWER = MESSAGE.error

const CONFIG = { command: 1, mode: 2, bufferSize: 3, threshold: 5, flags: 6 } as const
const BIND = 1
const COPY_PACKET = 2
/** NFULNL_CFG_F_SEQ: each message bears a number, one more than the one before. */
const NUMBERED = 1

const PACKET = { payload: 9, prefix: 10, sequence: 12 } as const

/** What the kernel logs of a packet. */
interface LoggedPacket {
  readonly prefix: string
  /** Its first bytes, from the IP header on. */
  readonly payload: Uint8Array
  /** Counts from 0; wraps at 2^32. */
  readonly sequence: number | undefined
}

const big = (bits: 16 | 32, value: number): Uint8Array => {
  const bytes = new Uint8Array(bits / 8)
  const view = new DataView(bytes.buffer)
  if (bits === 16) view.setUint16(0, value)
  else view.setUint32(0, value)
  return bytes
}

/**
 * Asks for a group: numbered messages, each with so many bytes of its packet. The kernel
 * acknowledges it; of a group that another socket has it says EPERM.
 */
export const renderBind = (group: number, bytes: number, sequence: number): Uint8Array =>
  renderConfig(group, sequence, (writer) => {
    writer.attribute(CONFIG.command, new Uint8Array([BIND]))
    writeMode(writer, bytes)
    // Each message gets the memory that it needs. By default it is a page, and the receive buffer
    // holds a quarter as many.
    writer.attribute(CONFIG.bufferSize, big(32, 1))
    // One message at a time, also of rules that ask for more in one: what a datagram has is bounded
    // so.
    writer.attribute(CONFIG.threshold, big(32, 1))
    writer.attribute(CONFIG.flags, big(16, NUMBERED))
  })

/**
 * Says again how much of a packet is wanted: changes nothing, and is acknowledged behind what was
 * logged before.
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

/** The errno in an answer; 0: done. */
export const parseAnswer = (payload: Uint8Array): number =>
  -new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getInt32(0, IS_LITTLE)

/** @throws NetlinkError `malformed` */
export function parsePacket(message: Uint8Array): LoggedPacket {
  let prefix = ''
  let payload = new Uint8Array()
  let sequence: number | undefined
  for (const { type, value } of parseAttributes(message.subarray(NFGEN_HEADER))) {
    if (type === PACKET.prefix) prefix = readText(value)
    else if (type === PACKET.payload) payload = new Uint8Array(value)
    else if (type === PACKET.sequence && value.length === 4) sequence = readNumber(value)
  }
  return { prefix, payload, sequence }
}

const readNumber = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)

/** Text of the C language, with or without its end. */
function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)))
}

/** How many messages are missing before this one. */
export const missingBefore = (sequence: number, last: number | undefined): number =>
  last === undefined ? 0 : (sequence - last - 1) >>> 0
