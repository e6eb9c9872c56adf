// Runs the integration tests in three passes, each with as many files at a time as its tests bear; ends with 1 if any failed.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root, runFiles } from './files.mjs'

/** Mostly asleep: what they measure is seconds, and several at a time are no burden. */
const PACED = ['paced', 'cookbook-paced', 'token-times', 'peers']

/** These race, flood or time the kernel, and want the machine for themselves. */
const ALONE = ['connection-races', 'packet-path', 'reload', 'thousand', 'token-races', 'watch']

/** These take longest, and begin first, so that none of them runs on when all others have ended. */
const LONG = ['connections', 'confirm', 'contract-netlink', 'differential', 'keep', 'oracle']

const names = readdirSync(join(root, 'integration'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.test\.ts$/, ''))
  .sort()
const lost = [...PACED, ...ALONE, ...LONG].filter((name) => !names.includes(name))
if (lost.length > 0) throw new Error(`no such test: ${lost.join(', ')}`)
const others = names.filter((name) => ![...PACED, ...ALONE, ...LONG].includes(name))

const pathOf = (name) => `integration/${name}.test.ts`

runFiles(t, 'side by side', { files: [...LONG, ...others].map(pathOf), jobs: 4 })
runFiles(t, 'paced', { files: PACED.map(pathOf), jobs: 4 })
runFiles(t, 'alone', { files: ALONE.map(pathOf), jobs: 1 })
