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

/** nfgenmsg: family inet, version 0; for a batch no family, and nftables as its subsystem. */
const INET = Uint8Array.of(NFPROTO.inet, 0, 0, 0)
const NFTABLES = Uint8Array.of(0, 0, 0, SUBSYSTEM.nftables >> 8)

/**
 * A message's elements end here: an attribute's length has 16 bits, and a message that is refused
 * comes back whole, in a buffer of the next power of two.
 */
const MESSAGE_BYTES = 30_000

export interface RenderedRequest {
  readonly bytes: Uint8Array
  /** The sequence numbers of its first message, and of the one whose answer ends it. */
  readonly first: number
  readonly last: number
  /** Bytes that its answers take in the receive buffer at most. */
  readonly answerBytes: number
}

/**
 * What the kernel allocates for an acknowledgement, for an answer to a question, and beside what it
 * repeats.
 */
const ANSWER_OVERHEAD = 1024
const ANSWER_PAGE = 4608

/**
 * Renders a document as one batch: done whole or not at all. Its last change alone is acknowledged.
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
    // Which message is the last is known when the elements before it are written: all but small
    // changes are cut.
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
      if (typeof element === 'object') writeElement(writer, element.elem.val, element.elem.timeout)
      else writeElement(writer, element)
    }
    writer.close(list)
    writer.end()
  } while (at < elem.length)
  return number
}

/** Of the longest element: an IPv6 address and a timeout. */
const ELEMENT_BYTES = 40

function writeElement(writer: MessageWriter, key: ElementKey, timeout?: number): void {
  const element = writer.open(LIST_ITEM)
  if (timeout !== undefined) writer.attribute64(ELEMENT.timeout, timeout * 1000)
  const nested = writer.open(ELEMENT.key)
  writer.attribute(DATA_VALUE, keyBytes(key))
  writer.close(nested)
  writer.close(element)
}

/** An address in network byte order; a number, as of marks, in the machine's. */
function keyBytes(key: ElementKey): Uint8Array {
  if (typeof key === 'string') return addressBytes(key)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, key, IS_LITTLE)
  return bytes
}

/** Asks for one element: that is the answer, or a refusal is. */
export function renderGet(query: SetQuery, key: ElementKey, sequence: number): RenderedRequest {
  return renderQuestion(NFT.getElements, FLAG.request, query, sequence, key)
}

/** Asks whether a set is there: acknowledged, or refused. */
export function renderGetSet(query: SetQuery, sequence: number): RenderedRequest {
  return renderQuestion(NFT.getSet, FLAG.request | FLAG.ack, query, sequence)
}

/** Asks for all elements: as many messages as they need, then DONE. */
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
