// Netlink's messages and attributes → bytes, written independently of the library's writer, for
// tests. Pure.
import { IS_LITTLE, type NetlinkMessage } from '../../lib/kernel/netlink/wire.js'

const MESSAGE_HEADER = 16
const ATTRIBUTE_HEADER = 4
/** NLA_F_NESTED: the flag of an attribute that holds others. */
const NESTED = 0x8000

const align = (length: number): number => (length + 3) & ~3
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer)

export function renderMessage(
  { type, flags, sequence, port, payload }: NetlinkMessage,
  isLittle = IS_LITTLE,
): Uint8Array {
  const bytes = new Uint8Array(align(MESSAGE_HEADER + payload.length))
  const view = viewOf(bytes)
  view.setUint32(0, MESSAGE_HEADER + payload.length, isLittle)
  view.setUint16(4, type, isLittle)
  view.setUint16(6, flags, isLittle)
  view.setUint32(8, sequence, isLittle)
  view.setUint32(12, port, isLittle)
  bytes.set(payload, MESSAGE_HEADER)
  return bytes
}

/** Renders one attribute with its padding. */
export function renderAttribute(type: number, value: Uint8Array, isLittle = IS_LITTLE): Uint8Array {
  const bytes = new Uint8Array(align(ATTRIBUTE_HEADER + value.length))
  const view = viewOf(bytes)
  view.setUint16(0, ATTRIBUTE_HEADER + value.length, isLittle)
  view.setUint16(2, type, isLittle)
  bytes.set(value, ATTRIBUTE_HEADER)
  return bytes
}

/** Renders an attribute that holds others. */
export const renderNested = (type: number, attributes: readonly Uint8Array[]): Uint8Array =>
  renderAttribute(type | NESTED, concatBytes(attributes))

function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
