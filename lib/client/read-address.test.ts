// Addresses as text, read as Node reads them.
import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '../spec/model/address.js'
import { readAddress } from './read-address.js'

const CORNERS = [
  '::ffff:192.0.2.1',
  '::1.2.3.4',
  '::9.9.0.0',
  '010.0.0.1',
  '1.2.3',
  '256.0.0.1',
  'fe80::1%eth0',
]
const MORE = ['', ':', '::', 'example.org', '[::1]', '::1]:80/[', '1::2::3', '2001:DB8::00A', '::g']

t.test('an address is read or refused as by Node', async (t) => {
  const unit = fc.constantFrom('0', '1', 'f', ':', '.', '::', '255', '0db8', 'A')
  const any = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit }), fc.string())
  await fc.assert(
    fc.asyncProperty(any, async (text) => {
      const expected = parseAddress(text)
      // Node writes these with dots, and URLs, as RFC 5952 has it, without.
      const isDotted = /^::.*\..*/.test(expected?.address ?? '')
      t.match(
        readAddress(text),
        isDotted ? { family: 6, address: /^::[0-9a-f:]+$/ } : expected,
        text,
      )
      t.equal(readAddress(text)?.family, expected?.family)
    }),
    { numRuns: 1000, examples: [...CORNERS, ...MORE].map((text) => [text]) },
  )
})
