// Runs the integration tests in three passes, each with as many files at a time as its tests bear;
// ends with 1 if any failed.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root, runFiles } from './files.mjs'

/** Rooms of tests that measure seconds: mostly asleep, several at a time are no burden. */
const PACED = /^(?:paced|peers)\//

/** The room of those that race, flood or time the kernel, and want the machine for themselves. */
const ALONE = /^load\//

/** These take longest, and begin first, so that none of them runs on when all others have ended. */
const LONG = [
  'clients/ssh-programs',
  'doors/connections',
  'contract/contract-netlink',
  'table/keep/flushed',
  'table/keep/altered',
  'contract/contract',
  'ruleset/text',
  'ruleset/nft-schema',
  'table/kills',
  'table/reboot',
  'cookbook/cookbook-sequences',
  'cookbook/cookbook-secrets',
]

const names = readdirSync(join(root, 'integration'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.test\.ts$/, ''))
  // The unit run has those that need no root.
  .filter((name) => !name.startsWith('pure/'))
  .sort()
const lost = LONG.filter((name) => !names.includes(name))
if (lost.length > 0) throw new Error(`no such test: ${lost.join(', ')}`)

const [paced, alone] = [PACED, ALONE].map((room) => names.filter((name) => room.test(name)))
if (paced.length === 0 || alone.length === 0) throw new Error('a room of tests is not there')
const others = names.filter((name) => ![...paced, ...alone, ...LONG].includes(name))

const pathOf = (name) => `integration/${name}.test.ts`

runFiles(t, 'side by side', { files: [...LONG, ...others].map(pathOf), jobs: 3 })
runFiles(t, 'paced', { files: paced.map(pathOf), jobs: 4 })
runFiles(t, 'alone', { files: alone.map(pathOf), jobs: 1 })
