// Changes and queries of elements → netlink messages. Pure
// (include/uapi/linux/netfilter/nf_tables.h).
import type { ElementChange, ElementDocument, ElementKey } from '../../nft/document.js'
import type { SetQuery } from '../elements.js'
import { addressBytes } from './address-bytes.js'
import { DATA_VALUE, ELEMENT, FLAG, LIST, LIST_ITEM, NFPROTO, NFT, SUBSYSTEM } from './numbers.js'
import { IS_LITTLE, MessageWriter } from './wire.js'

/** NFNL_MSG_BATCH_BEGIN and END. */
const BATCH_BEGIN = 0x10
const BATCH_END = 0x11

/** struct nfgenmsg of a message, with family inet; and of a batch, with nftables as subsystem. */
const INET = Uint8Array.of(NFPROTO.inet, 0, 0, 0)
const NFTABLES = Uint8Array.of(0, 0, 0, SUBSYSTEM.nftables >> 8)

/**
 * The most bytes of a message's elements. An attribute's length has 16 bits. A refused message
 * comes back whole, in a buffer whose size is the next power of two.
 */
const MESSAGE_BYTES = 30_000

export interface RenderedRequest {
  readonly bytes: Uint8Array
  /** The sequence numbers of its first message, and of the message whose answer ends it. */
  readonly first: number
  readonly last: number
  /** The most bytes that its answers take in the receive buffer. */
  readonly answerBytes: number
}

/**
 * Bytes that the kernel allocates for an acknowledgement, also beside the message that a refusal
 * repeats; and for the answer to a question.
 */
const ANSWER_OVERHEAD = 1024
const ANSWER_PAGE = 4608

/**
 * Renders a document as one batch, which the kernel executes whole or not at all. Only its last
 * change is acknowledged.
 */
export function renderBatch({ nftables }: ElementDocument, first: number): RenderedRequest {
  const writer = new MessageWriter()
  const batch = (type: number, sequence: number) => {
    writer.begin(type, FLAG.request, sequence)
    writer.bytes(NFTABLES)
    writer.end()
  }
  batch(BATCH_BEGIN, first)
  let last = first
  nftables.forEach((command, index) => {
    const isLast = index === nftables.length - 1
    const [type, change] =
      'add' in command
        ? [NFT.newElements, command.add.element]
        : [NFT.deleteElements, command.delete.element]
    last = writeChange(writer, type, change, last, isLast)
  })
  batch(BATCH_END, last + 1)
  const bytes = writer.take()
  // A message that is refused comes back whole.
  const answerBytes = bytes.length + (last - first) * ANSWER_OVERHEAD
  return { bytes, first, last, answerBytes }
}

/** Writes as many messages as the elements need; returns the last one's sequence number. */
function writeChange(
  writer: MessageWriter,
  type: number,
  { table, name, elem }: ElementChange,
  sequence: number,
  isLast: boolean,
): number {
  const create = type === NFT.newElements ? FLAG.create : 0
  const head = [nameBytes(table), nameBytes(name)] as const
  let at = 0
  let number = sequence
  do {
    number += 1
    // Only the last message asks for an acknowledgement, and that is known only now: a change with
    // many elements is cut into several messages.
    const rest = elem.length - at
    const fits = rest * ELEMENT_BYTES <= MESSAGE_BYTES
    const count = fits ? rest : Math.floor(MESSAGE_BYTES / ELEMENT_BYTES)
    const ack = isLast && fits ? FLAG.ack : 0
    writer.begin(SUBSYSTEM.nftables | type, FLAG.request | create | ack, number)
    writer.bytes(INET)
    writer.attribute(LIST.table, head[0])
    writer.attribute(LIST.set, head[1])
    const list = writer.open(LIST.elements)
    for (const end = at + count; at < end; at += 1) {
      const element = elem[at] as ElementChange['elem'][number]
      if (typeof element === 'object' && 'elem' in element)
        writeElement(writer, element.elem.val, element.elem.timeout)
      else writeElement(writer, element)
    }
    writer.close(list)
    writer.end()
  } while (at < elem.length)
  return number
}

/** Bytes of the longest element: an IPv6 address, a port and a timeout. */
const ELEMENT_BYTES = 44

function writeElement(writer: MessageWriter, key: ElementKey, timeout?: number): void {
  const element = writer.open(LIST_ITEM)
  if (timeout !== undefined) writer.attribute64(ELEMENT.timeout, timeout * 1000)
  const nested = writer.open(ELEMENT.key)
  writer.attribute(DATA_VALUE, keyBytes(key))
  writer.close(nested)
  writer.close(element)
}

/**
 * Returns addresses and ports in network byte order, or a number such as a mark in the machine's
 * order.
 */
function keyBytes(key: ElementKey): Uint8Array {
  if (typeof key === 'string') return addressBytes(key)
  if (typeof key === 'object') return portKeyBytes(...key.concat)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, key, IS_LITTLE)
  return bytes
}

/** The kernel fills each part of a key up to four bytes. */
function portKeyBytes(address: string, port: number): Uint8Array {
  const source = addressBytes(address)
  const bytes = new Uint8Array(source.length + 4)
  bytes.set(source)
  new DataView(bytes.buffer).setUint16(source.length, port)
  return bytes
}

/** Asks for one element. The answer is that element or a refusal. */
export function renderGet(query: SetQuery, key: ElementKey, sequence: number): RenderedRequest {
  return renderQuestion(NFT.getElements, FLAG.request, query, sequence, key)
}

/** Asks whether a set exists. The answer is an acknowledgement or a refusal. */
export function renderGetSet(query: SetQuery, sequence: number): RenderedRequest {
  return renderQuestion(NFT.getSet, FLAG.request | FLAG.ack, query, sequence)
}

/** Asks for all elements. The answer is as many messages as they need, then DONE. */
export function renderDump(query: SetQuery, sequence: number): RenderedRequest {
  return renderQuestion(NFT.getElements, FLAG.request | FLAG.dump, query, sequence)
}

function renderQuestion(
  type: number,
  flags: number,
  { table, set }: SetQuery,
  sequence: number,
  key?: ElementKey,
): RenderedRequest {
  const writer = new MessageWriter()
  writer.begin(SUBSYSTEM.nftables | type, flags, sequence)
  writer.bytes(INET)
  writer.attribute(LIST.table, nameBytes(table))
  writer.attribute(LIST.set, nameBytes(set))
  if (key !== undefined) {
    const list = writer.open(LIST.elements)
    writeElement(writer, key)
    writer.close(list)
  }
  writer.end()
  return { bytes: writer.take(), first: sequence, last: sequence, answerBytes: ANSWER_PAGE }
}

const nameBytes = (name: string): Uint8Array => Buffer.from(`${name}\0`)
