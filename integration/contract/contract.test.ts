// The contract's cases with each version of nft, in a namespace. pure/contract.test.ts runs them
// with the fake.
import t from 'tap'
import { createNft } from '../../lib/index.js'
import { createPair } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { runCases, TABLES } from './contract-cases.js'

const { versions, skip } = await versionsOrSkip()

t.test('the real one', { skip }, async (t) => {
  t.jobs = 2
  for (const { version, path } of versions) {
    t.test(`nft ${version}`, { buffered: true }, async (t) => {
      await using pair = await createPair()
      const nft = createNft({ binary: path, netns: pair.server })
      t.equal(await nft.version(), version)
      await runCases(t, TABLES, nft)
    })
  }
})
