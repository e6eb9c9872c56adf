// Messages and attributes of netlink ↔ bytes. Pure (netlink(7), include/uapi/linux/netlink.h).
import { NetlinkError } from '../../errors.js'

export interface NetlinkMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The netlink address of the requester, which the kernel repeats in its answer. */
  readonly port: number
  readonly payload: Uint8Array
}

export interface Attribute {
  /** Without the flags of nesting and byte order. */
  readonly type: number
  readonly value: Uint8Array
}

const MESSAGE_HEADER = 16
/** Bytes before the value of an attribute. */
export const ATTRIBUTE_HEADER = 4
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const NESTED = 0x8000
const TYPE_MASK = 0x3fff

/**
 * Whether this machine is little-endian. Netlink's headers and some values have the machine's byte
 * order.
 */
export const IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

const align = (length: number): number => (length + 3) & ~3
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Makes the error for bytes that do not have the kernel's form. */
export const malformed = (what: string): NetlinkError =>
  new NetlinkError('malformed', 'parse', `netlink: ${what}`)

/**
 * Parses the messages in what one read of a socket gave.
 * @throws NetlinkError `malformed`
 */
export function parseMessages(bytes: Uint8Array, isLittle = IS_LITTLE): NetlinkMessage[] {
  const view = viewOf(bytes)
  const messages: NetlinkMessage[] = []
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at
    if (left < MESSAGE_HEADER) throw malformed(`a message of ${left} bytes`)
    const length = view.getUint32(at, isLittle)
    if (length < MESSAGE_HEADER || length > left)
      throw malformed(`a message of ${length} in ${left} bytes`)
    messages.push({
      type: view.getUint16(at + 4, isLittle),
      flags: view.getUint16(at + 6, isLittle),
      sequence: view.getUint32(at + 8, isLittle),
      port: view.getUint32(at + 12, isLittle),
      payload: bytes.subarray(at + MESSAGE_HEADER, at + length),
    })
    at += align(length)
  }
  return messages
}

/** Parses attributes that follow each other. @throws NetlinkError `malformed` */
export function parseAttributes(bytes: Uint8Array, isLittle = IS_LITTLE): Attribute[] {
  const attributes: Attribute[] = []
  const take = (type: number, from: number, to: number) => {
    attributes.push({ type, value: bytes.subarray(from, to) })
  }
  eachAttribute(bytes, 0, bytes.length, take, isLittle)
  return attributes
}

/**
 * Calls back with each attribute between two offsets: its type, and its value's begin and end.
 * @throws NetlinkError `malformed`
 */
export function eachAttribute(
  bytes: Uint8Array,
  from: number,
  to: number,
  visit: (type: number, from: number, to: number) => void,
  isLittle = IS_LITTLE,
): void {
  for (let at = from; at < to; ) {
    const end = attributeEnd(bytes, at, to, isLittle)
    visit(attributeType(bytes, at, isLittle), at + ATTRIBUTE_HEADER, end)
    at = attributeAfter(at, end)
  }
}

/**
 * Returns where the attribute at an offset ends. With the two functions below, many attributes are
 * read without a callback for each.
 * @throws NetlinkError `malformed` if it does not end before `to`.
 */
export function attributeEnd(
  bytes: Uint8Array,
  at: number,
  to: number,
  isLittle = IS_LITTLE,
): number {
  const left = to - at
  if (left < ATTRIBUTE_HEADER) throw malformed(`an attribute of ${left} bytes`)
  const length = read16(bytes, at, isLittle)
  if (length < ATTRIBUTE_HEADER || length > left)
    throw malformed(`an attribute of ${length} in ${left} bytes`)
  return at + length
}

export const attributeType = (bytes: Uint8Array, at: number, isLittle = IS_LITTLE): number =>
  read16(bytes, at + 2, isLittle) & TYPE_MASK

/** Where the attribute after one begins, by the begin and the end of that one. */
export const attributeAfter = (at: number, end: number): number => at + align(end - at)

function read16(bytes: Uint8Array, at: number, isLittle: boolean): number {
  const [first, second] = [bytes[at] as number, bytes[at + 1] as number]
  return isLittle ? first | (second << 8) : (first << 8) | second
}

/** Writes messages and their attributes, one after the other, into a buffer that grows. */
export class MessageWriter {
  #bytes = new Uint8Array(512)
  #view = viewOf(this.#bytes)
  #length = 0
  #message = 0
  readonly #isLittle: boolean

  constructor(isLittle = IS_LITTLE) {
    this.#isLittle = isLittle
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Returns a copy of what has been written, and empties the writer. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return bytes
  }

  /** Begins a message; `end` ends it. */
  begin(type: number, flags: number, sequence: number): void {
    this.#message = this.#reserve(MESSAGE_HEADER)
    this.#view.setUint16(this.#message + 4, type, this.#isLittle)
    this.#view.setUint16(this.#message + 6, flags, this.#isLittle)
    this.#view.setUint32(this.#message + 8, sequence, this.#isLittle)
    this.#view.setUint32(this.#message + 12, 0, this.#isLittle)
  }

  end(): void {
    this.#view.setUint32(this.#message, this.#length - this.#message, this.#isLittle)
  }

  /** Writes bytes before a message's attributes. */
  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  attribute(type: number, value: Uint8Array): void {
    const at = this.#open(type, value.length)
    // Faster than set() for the few bytes of a key.
    for (let i = 0; i < value.length; i += 1) this.#bytes[at + i] = value[i] as number
  }

  /** Writes a number of 64 bits in network byte order. */
  attribute64(type: number, value: number): void {
    const at = this.#open(type, 8)
    this.#view.setUint32(at, Math.floor(value / 2 ** 32))
    this.#view.setUint32(at + 4, value % 2 ** 32)
  }

  /** Begins an attribute that holds others. Returns its offset, for `close`. */
  open(type: number): number {
    return this.#open(type | NESTED, 0) - ATTRIBUTE_HEADER
  }

  close(at: number): void {
    this.#view.setUint16(at, this.#length - at, this.#isLittle)
  }

  #open(type: number, length: number): number {
    const at = this.#reserve(ATTRIBUTE_HEADER + length)
    this.#view.setUint16(at, ATTRIBUTE_HEADER + length, this.#isLittle)
    this.#view.setUint16(at + 2, type, this.#isLittle)
    return at + ATTRIBUTE_HEADER
  }

  /** Makes room, padded with zeros. Returns the offset of the room. */
  #reserve(length: number): number {
    const at = this.#length
    this.#length = at + align(length)
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = viewOf(grown)
    }
    this.#bytes.fill(0, at + length, this.#length)
    return at
  }
}
