// The contract's cases of grants and bans with each version of nft. contract-netlink.test.ts runs
// them through netlink.
import t from 'tap'
import { createNft } from '../../lib/index.js'
import { createPair } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { runCases } from './contract-cases.js'
import { ELEMENTS } from './contract-elements.js'

const { versions, skip } = await versionsOrSkip()

t.test('the fake behaves as nft', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    const nft = createNft({ binary: path, netns: pair.server })
    await t.test(`nft ${version}`, (t) => runCases(t, ELEMENTS, nft))
  }
})
