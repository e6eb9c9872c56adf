// A program that runs the contract's cases with elements through netlink, inside a namespace.
// Argument: the nft.
import t from 'tap'
import { createNft } from '../../lib/index.js'
import { runCases, TABLES } from './contract-cases.js'
import { ELEMENTS } from './contract-elements.js'

const nft = createNft({ binary: process.argv[2] as string })
await runCases(t, { ...TABLES, ...ELEMENTS }, nft, { nft, elements: 'netlink' })
