// Runs the integration tests in three passes, each with as many files at a time as its tests bear;
// ends with 1 if any failed.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root, runFiles } from './files.mjs'

/** Mostly asleep: what they measure is seconds, and several at a time are no burden. */
const PACED = ['meaning/paced', 'cookbook/cookbook-paced', 'meaning/token-times', 'peers/peers']

/** These race, flood or time the kernel, and want the machine for themselves. */
const ALONE = [
  'doors/connection-races',
  'meaning/packet-path',
  'table/reload',
  'doors/thousand',
  'meaning/token-races',
  'table/watch',
]

/** These take longest, and begin first, so that none of them runs on when all others have ended. */
const LONG = [
  'doors/connections',
  'table/confirm',
  'contract/contract-netlink',
  'meaning/differential',
  'table/keep',
  'contract/contract',
  'ruleset/text',
]

const names = readdirSync(join(root, 'integration'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.test\.ts$/, ''))
  // The unit run has those that need no root.
  .filter((name) => !name.startsWith('pure/'))
  .sort()
const lost = [...PACED, ...ALONE, ...LONG].filter((name) => !names.includes(name))
if (lost.length > 0) throw new Error(`no such test: ${lost.join(', ')}`)
const others = names.filter((name) => ![...PACED, ...ALONE, ...LONG].includes(name))

const pathOf = (name) => `integration/${name}.test.ts`

runFiles(t, 'side by side', { files: [...LONG, ...others].map(pathOf), jobs: 4 })
runFiles(t, 'paced', { files: PACED.map(pathOf), jobs: 4 })
runFiles(t, 'alone', { files: ALONE.map(pathOf), jobs: 1 })
