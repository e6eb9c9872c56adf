// Netlink's headers in both byte orders: a machine writes and reads its own.
import { endianness } from 'node:os'
import t from 'tap'
import { renderAttribute, renderMessage } from '../../../integration/captures/messages.js'
import { IS_LITTLE, MessageWriter, parseAttributes, parseMessages } from './wire.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const MESSAGE = { type: 0x0a09, flags: 0x0405, sequence: 7, port: 0x01020304 }

/** An attribute of type 0x0102 with three bytes, in a message of type 0x0a09. */
const BYTES = {
  little: '18000000090a0504070000000403020107000201aabbcc00',
  big: '000000180a090405000000070102030400070102aabbcc00',
}

for (const [order, expected] of Object.entries(BYTES)) {
  const isLittle = order === 'little'
  t.test(`${order} end first`, async (t) => {
    const attribute = renderAttribute(0x0102, new Uint8Array([0xaa, 0xbb, 0xcc]), isLittle)
    const bytes = renderMessage({ ...MESSAGE, payload: attribute }, isLittle)
    t.equal(hex(bytes), expected)
    const [message] = parseMessages(bytes, isLittle)
    t.match(message, MESSAGE)
    const [read] = parseAttributes(message?.payload ?? new Uint8Array(), isLittle)
    t.equal(read?.type, 0x0102)
    t.equal(hex(read?.value ?? new Uint8Array()), 'aabbcc')
    t.throws(() => parseMessages(bytes, !isLittle), { code: 'malformed' })
  })

  t.test(`${order} end first, written in parts`, async (t) => {
    const writer = new MessageWriter(isLittle)
    writer.begin(MESSAGE.type, MESSAGE.flags, MESSAGE.sequence)
    const list = writer.open(1)
    writer.attribute(0x0102, new Uint8Array([0xaa]))
    writer.attribute64(2, 5)
    writer.close(list)
    writer.end()
    const [message] = parseMessages(writer.take(), isLittle)
    t.match(message, { ...MESSAGE, port: 0 })
    const [nested] = parseAttributes(message?.payload ?? new Uint8Array(), isLittle)
    const parts = parseAttributes(nested?.value ?? new Uint8Array(), isLittle)
    t.strictSame(
      parts.map(({ type, value }) => [type, hex(value)]),
      [
        [0x0102, 'aa'],
        [2, '0000000000000005'],
      ],
      'values of nf_tables have the big end first on every machine',
    )
  })
}

t.test('this machine', async (t) => {
  t.equal(IS_LITTLE, endianness() === 'LE')
})
