// Blocks around addresses, and the words for prefixes.
import t from 'tap'
import { parseAddress } from './address.js'
import { blockOf, formatPrefix, lengthIn, maskOf, parsePrefix } from './prefix.js'

t.test('an address lies in one block of each length', async (t) => {
  const block = (text: string, length: number): string => {
    const address = parseAddress(text)
    return address ? blockOf(address, { 4: length, 6: length }).address : 'none'
  }
  t.equal(block('198.51.100.77', 24), '198.51.100.0')
  t.equal(block('198.51.100.77', 26), '198.51.100.64')
  t.equal(block('198.51.100.77', 32), '198.51.100.77')
  t.equal(block('2001:db8:1:2:3:4:5:6', 64), '2001:db8:1:2::')
  t.equal(block('2001:db8:1:2ff:3:4:5:6', 56), '2001:db8:1:200::')
  t.equal(block('2001:db8::f', 125), '2001:db8::8')
  t.same(blockOf({ family: 4, address: '198.51.100.77' }), {
    family: 4,
    address: '198.51.100.77',
    prefixLength: 32,
  })
})

t.test('a mask has the leading ones', async (t) => {
  const masks = [8, 20, 24, 31].map((length) => maskOf(4, length))
  t.same(masks, ['255.0.0.0', '255.255.240.0', '255.255.255.0', '255.255.255.254'])
  t.equal(maskOf(6, 32), 'ffff:ffff::')
  t.equal(maskOf(6, 61), 'ffff:ffff:ffff:fff8::')
  t.equal(maskOf(6, 127), 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe')
})

t.test('a prefix of all bits is none', async (t) => {
  t.equal(lengthIn({ 4: 24, 6: 128 }, 4), 24)
  t.equal(lengthIn({ 4: 24, 6: 128 }, 6), undefined)
  t.equal(lengthIn(undefined, 4), undefined)
})

t.test('a prefix is written as two words, and others are refused', async (t) => {
  const prefix = { 4: 24, 6: 64 }
  t.same(parsePrefix(formatPrefix(prefix).split(' ')), prefix)
  for (const words of ['', '24', '24 64 1', '33 64', '24 129', 'x 64', '24 -1', '24 6.4']) {
    t.equal(parsePrefix(words.split(' ')), undefined, words)
  }
})
