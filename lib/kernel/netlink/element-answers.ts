// The kernel's answers to changes and queries of sets → elements and refusals. Pure.
import type { ListedElement } from '../../nft/listing.js'
import type { Family } from '../../spec/model/packet-model.js'
import { ADDRESS_BYTES, addressText } from './address-bytes.js'
import {
  DATA_VALUE,
  ELEMENT,
  FLAG,
  LIST,
  LIST_ITEM,
  MESSAGE,
  NFGEN_HEADER,
  NFT,
  SUBSYSTEM,
} from './numbers.js'
import {
  ATTRIBUTE_HEADER,
  attributeAfter,
  attributeEnd,
  attributeType,
  eachAttribute,
  IS_LITTLE,
  malformed,
  type NetlinkMessage,
  parseMessages,
} from './wire.js'

const HEADER = 16
/** NLMSGERR_ATTR_MSG: the attribute with the kernel's words. */
const TEXT = 1

/**
 * A key's form: 4 or 6 for an address, `port4` or `port6` for an address and a port, `raw` for its
 * bytes, undefined for a number such as a mark.
 */
export type KeyFamily = Family | `port${Family}` | 'raw' | undefined

export type Answer =
  /** errno 0: success. */
  | ({ readonly kind: 'ack' } & KernelError)
  /** For `parseElements`. */
  | { readonly kind: 'elements'; readonly sequence: number; readonly payload: Uint8Array }
  | { readonly kind: 'done'; readonly sequence: number; readonly errno: number }
  | { readonly kind: 'overrun' }

export interface Answers {
  readonly answers: readonly Answer[]
  /** Sets were changed while they were dumped: elements may be missing. */
  readonly isInterrupted: boolean
}

/**
 * Parses one datagram. Ignores messages of other kinds.
 * @throws NetlinkError `malformed`
 */
export function parseAnswers(bytes: Uint8Array): Answers {
  const messages = parseMessages(bytes)
  const answers = messages.flatMap((message) => parseAnswer(message) ?? [])
  return { answers, isInterrupted: messages.some(({ flags }) => (flags & FLAG.interrupted) !== 0) }
}

/**
 * Parses the beginning of a datagram that was cut: a refusal's errno, without the message that it
 * repeats.
 * @throws NetlinkError `malformed` if it is not a refusal.
 */
export function parseCut(bytes: Uint8Array): KernelError {
  const whole = HEADER + 4 + HEADER
  if (bytes.length < whole) throw malformed(`a message cut to ${bytes.length} bytes`)
  // Not slice(): that does not copy a Buffer.
  const head = new Uint8Array(bytes.subarray(0, whole))
  const view = new DataView(head.buffer)
  view.setUint32(0, whole, IS_LITTLE)
  view.setUint16(6, 0, IS_LITTLE)
  const [message] = parseMessages(head)
  if (message?.type !== MESSAGE.error) throw malformed('a message that was cut')
  return parseError(message)
}

function parseAnswer(message: NetlinkMessage): Answer | undefined {
  const { type, sequence, payload } = message
  switch (type) {
    case MESSAGE.error:
      return { kind: 'ack', ...parseError(message) }
    case MESSAGE.done:
      // Old kernels send no errno.
      return { kind: 'done', sequence, errno: payload.length < 4 ? 0 : readErrno(payload) }
    case MESSAGE.overrun:
      return { kind: 'overrun' }
    case SUBSYSTEM.nftables | NFT.newElements:
      return { kind: 'elements', sequence, payload }
    default:
      return undefined
  }
}

export interface KernelError {
  readonly sequence: number
  /** 0: an acknowledgement. */
  readonly errno: number
  /** The kernel's words, if the socket asked for them. */
  readonly text?: string
}

/**
 * Reads an NLMSG_ERROR: an errno, the message or only the header that it is about, and attributes.
 * @throws NetlinkError `malformed`
 */
function parseError({ sequence, flags, payload }: NetlinkMessage): KernelError {
  if (payload.length < 4 + HEADER) throw malformed(`an error of ${payload.length} bytes`)
  const errno = readErrno(payload)
  if (!(flags & FLAG.hasAttributes)) return { sequence, errno }
  const length = new DataView(payload.buffer, payload.byteOffset + 4).getUint32(0, IS_LITTLE)
  // An acknowledgement repeats only the header, with the length of the whole message.
  const repeated = flags & FLAG.capped || errno === 0 ? HEADER : (length + 3) & ~3
  if (repeated < HEADER || 4 + repeated > payload.length)
    throw malformed(`an error about ${length} in ${payload.length} bytes`)
  let text: string | undefined
  eachAttribute(payload, 4 + repeated, payload.length, (type, from, to) => {
    if (type === TEXT) text = textOf(payload, from, to)
  })
  return { sequence, errno, ...(text !== undefined && { text }) }
}

/** Reads an errno, which the kernel sends as a negative number. */
function readErrno(payload: Uint8Array): number {
  const value = new DataView(payload.buffer, payload.byteOffset).getInt32(0, IS_LITTLE)
  if (value > 0) throw malformed(`an error that is ${value}`)
  return Math.abs(value)
}

/** Reads text up to the zero byte that ends it. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  const text = Buffer.from(bytes.subarray(from, to)).toString('latin1')
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/**
 * Parses the payload of a message with elements.
 * @throws NetlinkError `malformed`, also if a key is not of that family.
 */
export function parseElements(payload: Uint8Array, family: KeyFamily): ListedElement[] {
  const elements: ListedElement[] = []
  eachElement(payload, (from, to) => elements.push(parseElement(payload, from, to, family)))
  return elements
}

/**
 * Calls back with the begin and end of each element of a message.
 * @throws NetlinkError `malformed`
 */
export function eachElement(
  payload: Uint8Array,
  visit: (from: number, to: number) => unknown,
): void {
  if (payload.length < NFGEN_HEADER) throw malformed(`elements of ${payload.length} bytes`)
  eachAttribute(payload, NFGEN_HEADER, payload.length, (type, from, to) => {
    if (type !== LIST.elements) return
    eachAttribute(payload, from, to, (inner, start, end) => {
      if (inner === LIST_ITEM) visit(start, end)
    })
  })
}

function parseElement(
  bytes: Uint8Array,
  from: number,
  to: number,
  family: KeyFamily,
): ListedElement {
  let key: readonly string[] | undefined
  let mark: number | undefined
  let timeout: number | undefined
  let expires: number | undefined
  for (let at = from, end = at; at < to; at = attributeAfter(at, end)) {
    end = attributeEnd(bytes, at, to)
    const start = at + ATTRIBUTE_HEADER
    const type = attributeType(bytes, at)
    if (type === ELEMENT.key) key = parseKey(bytes, start, end, family)
    else if (type === ELEMENT.data) mark = parseMark(bytes, start, end)
    else if (type === ELEMENT.timeout) timeout = readSeconds(bytes, start, end)
    else if (type === ELEMENT.expiration) expires = readSeconds(bytes, start, end)
  }
  if (key === undefined) throw malformed('an element without a key')
  return { key, timeout, expires, ...(mark !== undefined && { mark }) }
}

function parseKey(
  bytes: Uint8Array,
  from: number,
  to: number,
  family: KeyFamily,
): readonly string[] | undefined {
  let key: readonly string[] | undefined
  for (let at = from, end = at; at < to; at = attributeAfter(at, end)) {
    end = attributeEnd(bytes, at, to)
    if (attributeType(bytes, at) !== DATA_VALUE) continue
    key = readKey(bytes, at + ATTRIBUTE_HEADER, end, family)
  }
  return key
}

function readKey(bytes: Uint8Array, from: number, to: number, family: KeyFamily): string[] {
  if (family === 'raw') return [Buffer.from(bytes.subarray(from, to)).toString('hex')]
  const [own, hasPort] = FORMS[family ?? 'number']
  const address = own ? ADDRESS_BYTES[own] : 4
  if (to - from !== address + (hasPort ? 4 : 0)) throw malformed(`a key of ${to - from} bytes`)
  const first = own ? addressText(own, bytes, from) : String(readNumber(bytes, from))
  return hasPort ? [first, String(readPort(bytes, from + address))] : [first]
}

/** Of each form of a key: the family of its address, and whether a port follows. */
const FORMS = {
  number: [undefined, false],
  4: [4, false],
  6: [6, false],
  port4: [4, true],
  port6: [6, true],
} as const

export const readPort = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number)

/** Reads the mark that a map has for a key; undefined if its data is no mark. */
function parseMark(bytes: Uint8Array, from: number, to: number): number | undefined {
  let mark: number | undefined
  eachAttribute(bytes, from, to, (type, start, end) => {
    if (type === DATA_VALUE && end - start === 4) mark = readNumber(bytes, start)
  })
  return mark
}

export const readNumber = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, IS_LITTLE)

/** Reads milliseconds, 64 bits in network byte order, as the whole seconds that nft lists. */
export function readSeconds(bytes: Uint8Array, from: number, to: number): number {
  if (to - from !== 8) throw malformed(`a time of ${to - from} bytes`)
  const high = readBig32(bytes, from)
  if (high >= 2 ** 21) throw malformed('a time of more than 53 bits')
  return Math.floor((high * 2 ** 32 + readBig32(bytes, from + 4)) / 1000)
}

const readBig32 = (b: Uint8Array, at: number): number =>
  (((b[at] as number) << 24) |
    ((b[at + 1] as number) << 16) |
    ((b[at + 2] as number) << 8) |
    (b[at + 3] as number)) >>>
  0
