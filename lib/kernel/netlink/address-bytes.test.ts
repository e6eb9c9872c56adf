// Canonical addresses ↔ bytes.
import { SocketAddress } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '../../spec/model/address.js'
import { addressBytes, addressText } from './address-bytes.js'

t.test('a canonical text → bytes → the same text', async (t) => {
  for (const text of [
    '0.0.0.0',
    '255.255.255.255',
    '203.0.113.7',
    '::',
    '::1',
    '1::',
    'fd00::1',
    '2001:db8::7',
    '::1.2.3.4',
    '::ffff:0:0',
    'fe80::1:0:0:1',
    '1:0:0:2::3',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '0:1::',
    '::2:0:0:0:0',
    '64:ff9b::102:304',
    '1:0:2:3:4:5:6:7',
  ]) {
    const address = parseAddress(text)
    t.equal(address && addressText(address.family, addressBytes(address.address)), address?.address)
  }
  t.equal(addressText(6, addressBytes('::ffff:192.0.2.1')), '::ffff:192.0.2.1')
})

t.test('any bytes give the same text as inet_ntop', async (t) => {
  const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff), fc.nat(15))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const bytes = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 255]))
      const address = groups.map((value) => value.toString(16)).join(':')
      const text = addressText(6, bytes)
      t.equal(text, new SocketAddress({ address, family: 'ipv6' }).address)
      t.strictSame(addressBytes(text), bytes)
    }),
    { numRuns: 5000 },
  )
})
