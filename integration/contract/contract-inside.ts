// A program that runs the contract's cases with elements through netlink, inside a namespace.
// Arguments: the nft, and `all` for the cases of whole tables besides.
import t from 'tap'
import { createNft } from '../../lib/index.js'
import { runCases, TABLES } from './contract-cases.js'
import { ELEMENTS } from './contract-elements.js'

const [binary = '', which] = process.argv.slice(2)
const nft = createNft({ binary })
const cases = which === 'all' ? { ...TABLES, ...ELEMENTS } : ELEMENTS
await runCases(t, cases, nft, { nft, elements: 'netlink' })
