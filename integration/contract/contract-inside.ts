// The contract's cases with elements through netlink, for a process that has been put into a
// namespace; argument: the nft.
import t from 'tap'
import { createNft } from '../../lib/index.js'
import { runCases, TABLES } from './contract-cases.js'
import { ELEMENTS } from './contract-elements.js'

const nft = createNft({ binary: process.argv[2] as string })
await runCases(t, { ...TABLES, ...ELEMENTS }, nft, { nft, elements: 'netlink' })
