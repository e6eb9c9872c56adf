// One table of cases through every Nft: the one in memory, and the real one in each version, in a
// namespace of its own.
import t from 'tap'
import { createNft, installKnock } from '../../lib/index.js'
import { FakeNft } from '../../lib/kernel/fake.js'
import { createPair } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { runCases, TABLES } from './contract-cases.js'
import { SPEC } from './contract-reload.js'

const { versions, skip } = await versionsOrSkip()

t.test('in memory', (t) => runCases(t, TABLES, new FakeNft()))

t.test('the real one', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    const nft = createNft({ binary: path, netns: pair.server })
    t.equal(await nft.version(), version)
    await t.test(`nft ${version}`, (t) => runCases(t, TABLES, nft))
  }
})

t.test('grants in memory expire by its clock', async (t) => {
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
