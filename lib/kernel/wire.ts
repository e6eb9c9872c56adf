// Netlink's bytes: messages and attributes, both ways. Pure (netlink(7), include/uapi/linux/netlink.h).
import { NetlinkError } from '../errors.js'

export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The sender's, as the kernel echoes it. */
  readonly port: number
  readonly payload: Uint8Array
}

export interface Attribute {
  /** Without the flags of nesting and byte order. */
  readonly type: number
  readonly value: Uint8Array
}

const MESSAGE_HEADER = 16
const ATTRIBUTE_HEADER = 4
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const NESTED = 0x8000
const TYPE_MASK = 0x3fff

const align = (length: number): number => (length + 3) & ~3
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const malformed = (what: string): NetlinkError =>
  new NetlinkError('malformed', 'parse', `netlink: ${what}`)

/**
 * Parses what one read of a socket gave.
 * @throws NetlinkError `malformed`
 */
export function parseMessages(bytes: Uint8Array): NetlinkMessage[] {
  const view = viewOf(bytes)
  const messages: NetlinkMessage[] = []
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at
    if (left < MESSAGE_HEADER) throw malformed(`a message of ${left} bytes`)
    const length = view.getUint32(at, true)
    if (length < MESSAGE_HEADER || length > left)
      throw malformed(`a message of ${length} in ${left} bytes`)
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true),
      payload: bytes.subarray(at + MESSAGE_HEADER, at + length),
    })
    at += align(length)
  }
  return messages
}

/** @throws NetlinkError `malformed` */
export function parseAttributes(bytes: Uint8Array): Attribute[] {
  const view = viewOf(bytes)
  const attributes: Attribute[] = []
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at
    if (left < ATTRIBUTE_HEADER) throw malformed(`an attribute of ${left} bytes`)
    const length = view.getUint16(at, true)
    if (length < ATTRIBUTE_HEADER || length > left)
      throw malformed(`an attribute of ${length} in ${left} bytes`)
    const type = view.getUint16(at + 2, true) & TYPE_MASK
    attributes.push({ type, value: bytes.subarray(at + ATTRIBUTE_HEADER, at + length) })
    at += align(length)
  }
  return attributes
}

export function renderMessage({
  type,
  flags,
  sequence,
  port,
  payload,
}: NetlinkMessage): Uint8Array {
  const bytes = new Uint8Array(align(MESSAGE_HEADER + payload.length))
  const view = viewOf(bytes)
  view.setUint32(0, MESSAGE_HEADER + payload.length, true)
  view.setUint16(4, type, true)
  view.setUint16(6, flags, true)
  view.setUint32(8, sequence, true)
  view.setUint32(12, port, true)
  bytes.set(payload, MESSAGE_HEADER)
  return bytes
}

/** One attribute, padded. */
export function renderAttribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(ATTRIBUTE_HEADER + value.length))
  const view = viewOf(bytes)
  view.setUint16(0, ATTRIBUTE_HEADER + value.length, true)
  view.setUint16(2, type, true)
  bytes.set(value, ATTRIBUTE_HEADER)
  return bytes
}

/** An attribute that holds others. */
export const renderNested = (type: number, attributes: readonly Uint8Array[]): Uint8Array =>
  renderAttribute(type | NESTED, concatBytes(attributes))

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
