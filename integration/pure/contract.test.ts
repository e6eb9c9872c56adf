// The contract's cases with the fake Nft. No root needed; contract/ runs them with nft and netlink.
import t from 'tap'
import { installKnock } from '../../lib/index.js'
import { FakeNft } from '../../lib/kernel/fake.js'
import { runCases, TABLES } from '../contract/contract-cases.js'
import { ELEMENTS } from '../contract/contract-elements.js'
import { SPEC } from '../contract/contract-reload.js'

t.test('tables', (t) => runCases(t, TABLES, new FakeNft()))

t.test('elements', (t) => runCases(t, ELEMENTS, new FakeNft()))

t.test('grants expire by its clock', async (t) => {
  let now = 0
  const nft = new FakeNft({ now: () => now })
  await using knock = await installKnock(SPEC, { nft })
  await knock.door('ssh').open('203.0.113.7')
  now = 29_000
  t.strictSame(await knock.door('ssh').grants(), [
    { door: 'ssh', source: '203.0.113.7', expiresIn: 1 },
  ])
  now = 30_000
  t.strictSame(await knock.door('ssh').grants(), [])
  t.equal(await knock.door('ssh').close('203.0.113.7'), false)
})
