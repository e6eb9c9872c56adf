// The kernel's answers to a query of a set or map → its elements as nft's JSON has them. Pure.
//
// nft takes a process of its own for each set, and some 40 µs for each element.
import type { NftValue } from '../../nft/document.js'
import type { ElementForm } from '../elements.js'
import { ADDRESS_BYTES, addressText } from './address-bytes.js'
import { eachElement, readNumber, readPort, readSeconds } from './element-answers.js'
import { COMMENT, DATA_VALUE, DATA_VERDICT, ELEMENT, VERDICT, VERDICT_NAMES } from './numbers.js'
import { eachAttribute, malformed } from './wire.js'

/** An element, and a text of its key. */
export interface NftElement {
  readonly key: string
  readonly element: NftValue
}

type Field = (bytes: Uint8Array, at: number) => NftValue

/** By nft's name of a type: its bytes in a key, and how they are read. */
const FIELDS: Readonly<Record<string, readonly [length: number, read: Field]>> = {
  inet_proto: [1, (bytes, at) => bytes[at] as number],
  inet_service: [2, readPort],
  mark: [4, readNumber],
  ipv4_addr: [ADDRESS_BYTES[4], (bytes, at) => addressText(4, bytes, at)],
  ipv6_addr: [ADDRESS_BYTES[6], (bytes, at) => addressText(6, bytes, at)],
}

const DATA: readonly (string | undefined)[] = [undefined, 'verdict', 'mark', 'inet_service']

/** Whether elements of such keys and values can be read. */
export const isReadable = ({ key, data }: ElementForm): boolean =>
  key.length > 0 && key.every((type) => Object.hasOwn(FIELDS, type)) && DATA.includes(data)

/**
 * Parses the payload of a message with elements.
 * @throws NetlinkError `malformed`, also if a key or a value is not of that form.
 */
export function parseNftElements(payload: Uint8Array, form: ElementForm): NftElement[] {
  const elements: NftElement[] = []
  eachElement(payload, (from, to) => {
    elements.push(parseElement(payload, from, to, form))
  })
  return elements
}

function parseElement(
  bytes: Uint8Array,
  from: number,
  to: number,
  { key: types, data: dataType }: ElementForm,
): NftElement {
  let key: readonly NftValue[] | undefined
  let data: NftValue | undefined
  const own: { timeout?: number; expires?: number; comment?: string } = {}
  eachAttribute(bytes, from, to, (type, start, end) => {
    if (type === ELEMENT.key) key = parseKey(bytes, start, end, types)
    else if (type === ELEMENT.data) data = parseData(bytes, start, end, dataType)
    else if (type === ELEMENT.timeout) own.timeout = readSeconds(bytes, start, end)
    else if (type === ELEMENT.expiration) own.expires = readSeconds(bytes, start, end)
    else if (type === ELEMENT.userdata) Object.assign(own, commentOf(bytes, start, end))
  })
  if (key === undefined) throw malformed('an element without a key')
  if ((data === undefined) !== (dataType === undefined)) throw malformed('an element without data')
  const val: NftValue = key.length === 1 ? (key[0] as NftValue) : { concat: [...key] }
  const hasMore = Object.keys(own).length > 0
  const element: NftValue = hasMore ? { elem: { val, ...own } } : val
  return { key: key.join(' '), element: data === undefined ? element : [element, data] }
}

/** Reads the fields of a key. In a key of several each begins at a multiple of 4 bytes. */
function parseKey(
  bytes: Uint8Array,
  from: number,
  to: number,
  types: readonly string[],
): readonly NftValue[] {
  let key: readonly NftValue[] | undefined
  eachAttribute(bytes, from, to, (type, start, end) => {
    if (type !== DATA_VALUE) return
    let at = start
    key = types.map((name) => {
      const [length, read] = FIELDS[name] as (typeof FIELDS)[string]
      if (at + length > end) throw malformed(`a key of ${end - start} bytes`)
      const value = read(bytes, at)
      at += types.length === 1 ? length : (length + 3) & ~3
      return value
    })
    if (at !== end) throw malformed(`a key of ${end - start} bytes`)
  })
  if (key === undefined) throw malformed('a key without a value')
  return key
}

function parseData(
  bytes: Uint8Array,
  from: number,
  to: number,
  dataType: string | undefined,
): NftValue {
  let data: NftValue | undefined
  eachAttribute(bytes, from, to, (type, start, end) => {
    if (dataType === 'verdict' && type === DATA_VERDICT) data = parseVerdict(bytes, start, end)
    if (dataType === 'verdict' || dataType === undefined || type !== DATA_VALUE) return
    const [length, read] = FIELDS[dataType] as (typeof FIELDS)[string]
    if (end - start !== length) throw malformed(`data of ${end - start} bytes`)
    data = read(bytes, start)
  })
  if (data === undefined) throw malformed('data of another kind')
  return data
}

function parseVerdict(bytes: Uint8Array, from: number, to: number): NftValue {
  let name: string | undefined
  let target: string | undefined
  eachAttribute(bytes, from, to, (type, start, end) => {
    if (type === VERDICT.code && end - start === 4) {
      // In network byte order, and negative for all that is no verdict on the packet.
      const code = new DataView(bytes.buffer, bytes.byteOffset).getInt32(start)
      name = VERDICT_NAMES[code]
    } else if (type === VERDICT.chain) target = textOf(bytes, start, end)
  })
  if (name === undefined) throw malformed('a verdict of another kind')
  return { [name]: target === undefined ? null : { target } }
}

/** Finds the comment that nft keeps with an element: one byte each of type and length, then it. */
function commentOf(bytes: Uint8Array, from: number, to: number): { comment?: string } {
  for (let at = from; at + 2 <= to; ) {
    const [type, length] = [bytes[at], bytes[at + 1] as number]
    const start = at + 2
    if (start + length > to) throw malformed(`a comment of ${length} bytes`)
    if (type === COMMENT) return { comment: textOf(bytes, start, start + length) }
    at = start + length
  }
  return {}
}

/** Reads text, without the zero byte that ends it. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
  return text.replace(/\0.*$/s, '')
}
