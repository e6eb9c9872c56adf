// Addresses and blocks, held against a plain reading of their bits as text.
import fc from 'fast-check'
import t from 'tap'
import {
  canonicalAddress,
  cidrContains,
  cidrsIntersect,
  formatCidr,
  mergeCidrs,
  parseAddress,
  parseCidr,
} from './address.js'
import type { Cidr } from './packet-model.js'

t.test('an address has one canonical text', async (t) => {
  const canonical: Record<string, string> = {
    '192.0.2.1': '192.0.2.1',
    '0.0.0.0': '0.0.0.0',
    '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
    '2001:0db8:0000:0000:0001:0000:0000:0001': '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '1:0:0:2:0:0:0:3': '1:0:0:2::3',
    '::': '::',
    '0::1': '::1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::FFFF:c000:0201': '192.0.2.1',
    '0:0:0:0:0:ffff:192.0.2.1': '192.0.2.1',
    '64:ff9b::192.0.2.1': '64:ff9b::c000:201',
    // As inet_ntop(3) and nft write it.
    '::c000:201': '::192.0.2.1',
  }
  for (const [text, address] of Object.entries(canonical)) {
    t.strictSame(parseAddress(text), { family: address.includes(':') ? 6 : 4, address }, text)
  }
})

t.test('invalid addresses are refused', async (t) => {
  const wrong = [
    ...[
      '',
      ' ',
      'localhost',
      '1.2.3',
      '1.2.3.4.5',
      '256.0.0.1',
      '1.2.3.4 ',
      ' 1.2.3.4',
      '1.2.3.4/32',
    ],
    ...['010.0.0.1', '0x7f.0.0.1', '2130706433', '1.2.3.04', '١.2.3.4'],
    ...[
      'fe80::1%eth0',
      '::1%lo',
      '[::1]',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '12345::',
      'g::',
      '::ffff:1.2.3',
    ],
    ...[undefined, null, 7, ['::1'], { address: '::1' }],
  ]
  for (const value of wrong) t.equal(parseAddress(value), undefined, JSON.stringify(value))
})

t.test('invalid blocks are refused', async (t) => {
  const wrong = [
    ...[
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '10.0.0.0/',
      '/8',
      '10.0.0.0/8/8',
      '10.0.0.0/8.0',
    ],
    ...[
      '10.0.0.0/255.0.0.0',
      '::/129',
      '::/1e1',
      '::ffff:10.0.0.0/104',
      '::FFFF:10.0.0.0/8',
      'lan/8',
      8,
    ],
  ]
  for (const value of wrong) t.equal(parseCidr(value), undefined, JSON.stringify(value))
})

t.test('a block may contain ffff', async (t) => {
  const block = { family: 6, address: 'fd00:ffff:1::', prefixLength: 48, hostBits: false }
  t.strictSame(parseCidr('fd00:ffff:1::/48'), block)
})

/** The bits of an address, from the numbers that it is written with. */
const bitsOf = (parts: readonly number[], width: number): string =>
  parts.map((part) => part.toString(2).padStart(width, '0')).join('')

interface Written {
  readonly family: 4 | 6
  readonly text: string
  readonly bits: string
}

const part = (most: number) => fc.oneof(fc.constantFrom(0, 1, most), fc.nat(most))

const v4 = fc
  .tuple(part(255), part(255), part(255), part(255))
  .map((parts): Written => ({ family: 4, text: parts.join('.'), bits: bitsOf(parts, 8) }))

/**
 * All eight groups, so that nothing of how zeros are left out is taken from the code under test.
 */
const v6 = fc
  .tuple(fc.integer({ min: 0x2000, max: 0xffff }), ...new Array(7).fill(part(0xffff)))
  .map((parts): Written => {
    const groups = parts as number[]
    const text = groups.map((group) => group.toString(16)).join(':')
    return { family: 6, text, bits: bitsOf(groups, 16) }
  })

const written = fc.oneof(v4, v6)

const read = (text: string): Cidr => {
  const parsed = parseCidr(text)
  if (!parsed) throw new Error(`not read: ${text}`)
  const { hostBits: _, ...cidr } = parsed
  return cidr
}

const canonicalOf = ({ text }: Written): string => parseAddress(text)?.address as string

/** Two addresses that are often near each other, and a prefix length for each. */
const pair = fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6), fc.tuple(v4, v6)).chain(([a, b]) => {
  const most = (w: Written) => fc.nat(w.family === 4 ? 32 : 128)
  return fc.tuple(fc.constant(a), fc.oneof(fc.constant(a), fc.constant(b)), most(a), most(b))
})

const widthOf = ({ family }: Written): number => (family === 4 ? 32 : 128)

t.test('canonical text stands for the same bits', async () => {
  fc.assert(
    fc.property(written, (address) => {
      const canonical = canonicalOf(address)
      return (
        parseAddress(canonical)?.address === canonical &&
        parseAddress(address.text.toUpperCase())?.address === canonical &&
        cidrContains(read(`${address.text}/${widthOf(address)}`), canonical)
      )
    }),
  )
})

t.test('a block is the bits before its prefix length', async () => {
  fc.assert(
    fc.property(pair, ([a, b, length]) => {
      const prefix = a.bits.slice(0, length)
      const block = read(`${a.text}/${length}`)
      const isNetwork = !a.bits.slice(length).includes('1')
      const { hostBits } = parseCidr(`${a.text}/${length}`) ?? {}
      const isInside = a.family === b.family && b.bits.startsWith(prefix)
      return (
        hostBits === !isNetwork &&
        (!isNetwork || block.address === canonicalOf(a)) &&
        cidrContains(block, canonicalOf(a)) &&
        cidrContains(block, canonicalOf(b)) === isInside &&
        read(formatCidr(block)).address === block.address
      )
    }),
  )
})

t.test('two blocks overlap if one is a prefix of the other', async () => {
  fc.assert(
    fc.property(pair, ([a, b, m, n]) => {
      const [left, right] = [read(`${a.text}/${m}`), read(`${b.text}/${Math.min(n, widthOf(b))}`)]
      const common = Math.min(m, right.prefixLength)
      const meet = a.family === b.family && a.bits.slice(0, common) === b.bits.slice(0, common)
      return cidrsIntersect(left, right) === meet && cidrsIntersect(right, left) === meet
    }),
  )
})

t.test('merging keeps every address, and no block within another block', async () => {
  const small = fc
    .tuple(fc.nat(15), fc.nat(4))
    .map(([host, bits]) => read(`10.0.0.${host}/${28 + bits}`))
  fc.assert(
    fc.property(fc.array(small), (blocks) => {
      const merged = mergeCidrs(blocks)
      const covers = (list: readonly Cidr[]) =>
        Array.from({ length: 17 }, (_, host) => list.some((c) => cidrContains(c, `10.0.0.${host}`)))
      const apart = merged.every((a, i) => merged.every((b, j) => i === j || !cidrsIntersect(a, b)))
      return apart && covers(merged).join() === covers(blocks).join()
    }),
  )
})

t.test('an address becomes canonical, and other text stays as it is', async (t) => {
  t.equal(canonicalAddress('::ffff:203.0.113.7'), '203.0.113.7')
  t.equal(canonicalAddress('2001:DB8:0:0::7'), '2001:db8::7')
  t.equal(canonicalAddress('everyone'), 'everyone')
})

t.test('merging keeps the order, and separates the families', async (t) => {
  const merged = mergeCidrs(
    ['10.0.0.1', '::/0', '10.0.0.0/8', '::1', '10.0.0.1', '192.0.2.1'].map(read),
  )
  t.strictSame(merged.map(formatCidr), ['::/0', '10.0.0.0/8', '192.0.2.1'])
})
