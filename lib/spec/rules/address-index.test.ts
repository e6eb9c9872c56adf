// Blocks and who has them → the same owners as comparing all with all finds.
import fc from 'fast-check'
import t from 'tap'
import { cidrsIntersect, parseCidr } from '../model/address.js'
import type { Cidr } from '../model/packet-model.js'
import { AddressIndex, lengthsOf } from './address-index.js'

const read = (text: string): Cidr => {
  const { hostBits: _, ...block } = parseCidr(text) as Cidr & { hostBits: boolean }
  return block
}
const block = fc
  .constantFrom(
    ...['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.1.2.3', '10.2.0.0/16', '0.0.0.0/0'],
    ...['2001:db8::/32', '2001:db8:1::/48', '2001:db8:1::1', 'fd00::/8', '::/0'],
  )
  .map(read)
const blocks = fc.array(block, { maxLength: 3 })

t.test('the index finds an owner exactly if blocks overlap', async (t) => {
  fc.assert(
    fc.property(fc.array(blocks, { maxLength: 3 }), blocks, (owners, wanted) => {
      const index = new AddressIndex<number>(lengthsOf([...owners.flat(), ...wanted]))
      for (const [owner, own] of owners.entries()) index.add(own, owner)
      const meets = (own: readonly Cidr[]) =>
        own.length === 0 ||
        wanted.length === 0 ||
        own.some((a) => wanted.some((b) => cidrsIntersect(a, b)))
      const expected = [...owners.keys()].filter((owner) => meets(owners[owner] as Cidr[]))
      return [...index.meeting(wanted)].sort().join() === expected.join()
    }),
  )
  t.pass()
})
