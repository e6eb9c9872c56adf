// The bytes of elements, written as the kernel writes them → what nft's JSON has.
import t from 'tap'
import { renderAttribute } from '../../../integration/captures/messages.js'
import type { ElementForm } from '../elements.js'
import { isReadable, parseNftElements } from './nft-elements.js'

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] === 1) bytes.writeUInt32LE(value)
  else bytes.writeUInt32BE(value)
  return bytes
}
const port = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const code = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const time = (seconds: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(seconds * 1000))
  return bytes
}
/** Each part of a key of several begins at a multiple of 4 bytes. */
const padded = (...parts: Buffer[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.concat([part, Buffer.alloc((4 - part.length) & 3)])))
const key = (value: Buffer) => renderAttribute(1, renderAttribute(1, value))
const data = (value: Buffer) => renderAttribute(2, renderAttribute(1, value))
const verdict = (kind: number, chain?: string) => {
  const target = chain === undefined ? [] : [renderAttribute(2, Buffer.from(`${chain}\0`))]
  const parts = [renderAttribute(1, code(kind)), ...target]
  return renderAttribute(2, renderAttribute(2, Buffer.concat(parts)))
}
const comment = (text: string) => {
  const bytes = Buffer.from(`${text}\0`)
  // Other user data stands before it.
  return renderAttribute(6, Buffer.concat([Buffer.from([9, 1, 7, 0, bytes.length]), bytes]))
}

/** The payload of a message with elements, each of these attributes. */
const payload = (...elements: Uint8Array[][]): Uint8Array => {
  const items = elements.map((element) => renderAttribute(1, Buffer.concat(element)))
  return Buffer.concat([
    Buffer.from([1, 0, 0, 0]),
    renderAttribute(1, Buffer.from('knock\0')),
    renderAttribute(3, Buffer.concat(items)),
  ])
}

const parse = (form: ElementForm, ...elements: Uint8Array[][]) =>
  parseNftElements(payload(...elements), form).map(({ element }) => element)

const PORT = ['inet_proto', 'inet_service']

t.test('keys of one part and of several', async (t) => {
  t.strictSame(parse({ key: ['inet_service'] }, [key(port(20000))], [key(port(22))]), [20000, 22])
  t.strictSame(parse({ key: ['mark'] }, [key(number(0xfedcba98))]), [0xfedcba98])
  const place = padded(number(64), Buffer.from([6]), port(7000))
  t.strictSame(parse({ key: ['mark', ...PORT] }, [key(place)]), [{ concat: [64, 6, 7000] }])
  const source = padded(Buffer.from([10, 0, 0, 1]), port(22))
  t.strictSame(parse({ key: ['ipv4_addr', 'inet_service'] }, [key(source)]), [
    { concat: ['10.0.0.1', 22] },
  ])
  const six = Buffer.from('20010db8000000000000000000000001', 'hex')
  t.strictSame(parse({ key: ['ipv6_addr'] }, [key(six)]), ['2001:db8::1'])
})

t.test('times and comments', async (t) => {
  const own = [key(Buffer.from([10, 0, 0, 1])), renderAttribute(4, time(60))]
  t.strictSame(parse({ key: ['ipv4_addr'] }, [...own, renderAttribute(5, time(7))]), [
    { elem: { val: '10.0.0.1', timeout: 60, expires: 7 } },
  ])
  t.strictSame(parse({ key: ['mark'] }, [key(number(1)), comment('knocklib 4')]), [
    { elem: { val: 1, comment: 'knocklib 4' } },
  ])
})

t.test('what a map has for a key', async (t) => {
  const at = key(padded(Buffer.from([17]), port(53)))
  const concat = [17, 53]
  const form = (of: string) => ({ key: PORT, data: of })
  t.strictSame(parse(form('mark'), [at, data(number(128)), comment('a 1/2')]), [
    [{ elem: { val: { concat }, comment: 'a 1/2' } }, 128],
  ])
  t.strictSame(parse({ key: ['mark'], data: 'inet_service' }, [key(number(1)), data(port(22))]), [
    [1, 22],
  ])
  for (const [kind, name, chain] of [
    [-3, 'jump', 'gate_ssh'],
    [-4, 'goto', 'begin_5'],
    [-5, 'return', undefined],
    [1, 'accept', undefined],
    [0, 'drop', undefined],
  ] as const) {
    t.strictSame(parse(form('verdict'), [at, verdict(kind, chain)]), [
      [{ concat }, { [name]: chain === undefined ? null : { target: chain } }],
    ])
  }
})

t.test('keys are told apart by all their parts', async (t) => {
  const elements = parseNftElements(
    payload([key(padded(Buffer.from([6]), port(1)))], [key(padded(Buffer.from([17]), port(1)))]),
    { key: PORT },
  )
  t.equal(new Set(elements.map(({ key: text }) => text)).size, 2)
})

t.test('bytes of another form are refused', async (t) => {
  const at = key(padded(Buffer.from([17]), port(53)))
  const wrong: Record<string, [form: ElementForm, element: Uint8Array[]]> = {
    'no key': [{ key: ['mark'] }, [comment('x')]],
    'a key that is empty': [{ key: ['mark'] }, [renderAttribute(1, Buffer.alloc(0))]],
    'a key that is too short': [{ key: ['mark'] }, [key(port(1))]],
    'a key that is too long': [{ key: ['inet_service'] }, [key(number(1))]],
    'a part too few': [{ key: ['mark', ...PORT] }, [at]],
    'no data': [{ key: PORT, data: 'mark' }, [at]],
    'data of a set': [{ key: PORT }, [at, data(number(1))]],
    'data that is too short': [{ key: PORT, data: 'mark' }, [at, data(port(1))]],
    'a value for a verdict': [{ key: PORT, data: 'verdict' }, [at, data(number(1))]],
    'a verdict for a value': [{ key: PORT, data: 'mark' }, [at, verdict(1)]],
    'an unknown verdict': [{ key: PORT, data: 'verdict' }, [at, verdict(5)]],
    'a comment that is cut': [
      { key: ['mark'] },
      [key(number(1)), renderAttribute(6, Buffer.from([0, 9, 65]))],
    ],
  }
  for (const [name, [form, element]] of Object.entries(wrong)) {
    t.throws(() => parse(form, element), { code: 'malformed' }, name)
  }
})

t.test('forms that are left to nft', async (t) => {
  t.ok(isReadable({ key: PORT, data: 'verdict' }))
  t.ok(isReadable({ key: ['ipv6_addr', 'inet_service'] }))
  for (const form of [
    { key: [] },
    { key: ['ifname'] },
    { key: ['toString'] },
    { key: PORT, data: 'ipv4_addr' },
  ]) {
    t.notOk(isReadable(form), JSON.stringify(form))
  }
})
