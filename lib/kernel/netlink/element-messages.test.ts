// Changes and questions in netlink's bytes: held against what three versions of nft sent for the
// same, and read back.
//
// nft's bytes are in integration/captures: `npm run bench -- capture` gives the documents of
// documents.ts to each version of nft in a network namespace of its own, under `strace -e write=all
// -e read=all`, and keeps what goes through the socket.
import fc from 'fast-check'
import t from 'tap'
import { DOCUMENTS } from '../../../integration/captures/documents.js'
import { readCaptures } from '../../../integration/captures/netlink.js'
import { readAttributes, readMessages } from '../../../integration/captures/reading.js'
import type { ElementDocument } from '../../nft/document.js'
import { renderOpen } from '../../nft/transaction.js'
import { parseAddress } from '../../spec/model/address.js'
import { addressBytes } from './address-bytes.js'
import { parseAnswers, parseElements } from './element-answers.js'
import { renderBatch, renderDump, renderGet } from './element-messages.js'

const ACK = 0x4
/** NFTA_SET_ELEM_LIST_SET_ID: the number that nft gives a set within a batch. */
const SET_ID = 4
const ELEMENTS = 3

/**
 * Of each message what the kernel goes by: the order of attributes and elements says nothing, nor
 * who asks.
 */
function essence(bytes: Uint8Array): unknown[] {
  return readMessages(Buffer.from(bytes)).map(({ type, flags, body }) => ({
    type,
    flags: flags & ~ACK,
    family: body.subarray(0, 4).toString('hex'),
    attributes: readAttributes(body.subarray(4))
      .filter(({ type: kind }) => kind !== SET_ID)
      .map(({ type: kind, value }) => [kind, kind === ELEMENTS ? elements(value) : hex(value)])
      .sort(),
  }))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const elements = (value: Buffer): string[] =>
  readAttributes(value)
    .map((element) => readAttributes(element.value).map((a) => `${a.type} ${hex(a.value)}`))
    .map((attributes) => attributes.sort().join(', '))
    .sort()

t.test('a batch is what nft sends for the same document', async (t) => {
  for (const [version, exchanges] of readCaptures()) {
    for (const [name, document] of Object.entries(DOCUMENTS)) {
      const [sent] = exchanges.get(name)?.sent ?? []
      t.ok(sent, `${version}: ${name}`)
      if (!sent) continue
      t.strictSame(essence(renderBatch(document, 7).bytes), essence(sent), `${version}: ${name}`)
    }
  }
})

t.test('a question is what nft sends for the same listing', async (t) => {
  const set = (name: string) => ({ table: 'knock', set: name })
  const key = '203.0.113.7'
  for (const [version, exchanges] of readCaptures()) {
    const dump = exchanges.get('list of two')?.sent.at(-1) as Uint8Array
    t.strictSame(essence(renderDump(set('grants_ssh_4'), 1).bytes), essence(dump), version)
    const get = exchanges.get('get one')?.sent.at(-1) as Uint8Array
    t.strictSame(essence(renderGet(set('grants_ssh_4'), key, 1).bytes), essence(get), version)
  }
})

t.test("the kernel's answers to nft are read", async (t) => {
  for (const [version, exchanges] of readCaptures()) {
    const answers = (name: string) =>
      (exchanges.get(name)?.received ?? []).flatMap((bytes) => parseAnswers(bytes).answers)
    const listed = (name: string, family: 4 | 6 | undefined) =>
      answers(name).flatMap((a) => (a.kind === 'elements' ? parseElements(a.payload, family) : []))
    const year = 31_536_000
    t.strictSame(
      listed('list of two', 4).sort((a, b) => (a.timeout ?? 0) - (b.timeout ?? 0)),
      [
        { key: ['10.0.0.255'], timeout: 600, expires: 599 },
        { key: ['203.0.113.7'], timeout: year, expires: year - 1 },
      ],
      version,
    )
    t.match(listed('list of one', 6), [{ key: ['2001:db8::7'], timeout: 600, expires: 599 }])
    t.match(listed('list for everyone', undefined), [{ key: ['0'], timeout: 1, expires: 0 }])
    t.strictSame(listed('list of none', 4), [])
    const errnos = (name: string) =>
      answers(name).flatMap((a) => (a.kind === 'ack' && a.errno !== 0 ? [a.errno] : []))
    t.strictSame(errnos('close who is not there'), [2])
    t.strictSame(errnos('open'), [])
    t.throws(() => listed('list of two', 6), { code: 'malformed' })
  }
})

t.test('many elements are split into messages whose lengths fit 16 bits', async (t) => {
  const sources = Array.from({ length: 5000 }, (_, index) =>
    parseAddress(index % 2 ? `10.1.${index >> 8}.${index & 255}` : `fd00::${index.toString(16)}`),
  )
  const document = renderOpen({ table: 't', sources, grants: 'grants_ssh', used: ['used1'] }, 30)
  const { bytes, first, last } = renderBatch(document, 0xfffffffe)
  t.strictSame(documentOf(bytes), flat(document))
  const messages = readMessages(Buffer.from(bytes))
  t.equal(first, 0xfffffffe)
  t.equal(messages.length, last - first + 2)
  const acknowledged = messages.filter(({ flags }) => flags & ACK)
  t.strictSame(
    acknowledged.map(({ sequence }) => sequence),
    [last >>> 0],
    'only the last change is acknowledged',
  )
})

t.test('any rendered document reads back as the same changes', async () => {
  const addresses = fc.oneof(fc.ipV4(), fc.ipV6())
  const sources = fc.uniqueArray(addresses, { maxLength: 40 }).map((texts) => {
    const known = new Map(texts.map((text) => [parseAddress(text)?.address, parseAddress(text)]))
    return [...known.values()]
  })
  const name = fc.stringMatching(/^[a-z]\w{0,30}$/)
  const change = fc.record({
    table: name,
    sources: fc.oneof(sources, fc.constant([undefined])),
    grants: name,
    used: fc.array(name, { maxLength: 3 }),
  })
  fc.assert(
    fc.property(change, fc.integer({ min: 1, max: 31_536_000 }), (some, seconds) => {
      const document = renderOpen(some, seconds)
      const read = documentOf(renderBatch(document, 0).bytes)
      t.strictSame(read, flat(document))
    }),
    { numRuns: 300 },
  )
})

type Flat = [op: string, table: string, set: string, key: string, timeout: number | undefined]

/** Lists the changes of a document, one for each element. */
const flat = ({ nftables }: ElementDocument): Flat[] =>
  nftables.flatMap((command) => {
    const [op, change] =
      'add' in command ? ['add', command.add.element] : ['delete', command.delete.element]
    return change.elem.map((item): Flat => {
      const { val, timeout } =
        typeof item === 'object' && 'elem' in item ? item.elem : { val: item }
      const key = typeof val === 'string' ? hex(addressBytes(val)) : '00000000'
      return [op, change.table, change.name, key, timeout]
    })
  })

function documentOf(bytes: Uint8Array): Flat[] {
  const [begin, ...messages] = readMessages(Buffer.from(bytes))
  const end = messages.pop()
  t.strictSame([begin?.type, end?.type], [0x10, 0x11])
  return messages.flatMap(({ type, body }) => {
    const attributes = new Map(readAttributes(body.subarray(4)).map((a) => [a.type, a.value]))
    const [table, set] = [1, 2].map((kind) => attributes.get(kind)?.toString().replace(/\0$/, ''))
    return readAttributes(attributes.get(ELEMENTS) ?? Buffer.alloc(0)).map(({ value }): Flat => {
      const parts = new Map(readAttributes(value).map((a) => [a.type, a.value]))
      const key = hex(readAttributes(parts.get(1) as Buffer)[0]?.value as Buffer)
      const time = parts.get(4)?.readBigUInt64BE()
      const op = type === 0xa0c ? 'add' : 'delete'
      return [op, table ?? '', set ?? '', key, time === undefined ? time : Number(time) / 1000]
    })
  })
}
