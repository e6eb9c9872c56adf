// Runs the integration tests in three passes, each with as many files at a time as its tests bear; ends with 1 if any failed.
import { readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const here = dirname(fileURLToPath(import.meta.url))
const folder = dirname(here)
const root = dirname(folder)
/** Seconds that a file may take, and as many for each test of it. */
const TIMEOUT = 360

/** Mostly asleep: what they measure is seconds, and several at a time are no burden. */
const PACED = ['paced', 'cookbook-paced', 'token-times', 'peers']

/** These race, flood or time the kernel, and want the machine for themselves. */
const ALONE = ['connection-races', 'packet-path', 'reload', 'thousand', 'token-races', 'watch']

/** These take longest, and begin first, so that none of them runs on when all others have ended. */
const LONG = ['connections', 'confirm', 'contract-netlink', 'differential', 'keep', 'oracle']

const names = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.test\.ts$/, ''))
  .sort()
const lost = [...PACED, ...ALONE, ...LONG].filter((name) => !names.includes(name))
if (lost.length > 0) throw new Error(`no such test: ${lost.join(', ')}`)
const isOther = (name) => ![...PACED, ...ALONE, ...LONG].includes(name)

/** By name of the pass: its files, and how many of them run at a time. */
const PASSES = {
  'side by side': [[...LONG, ...names.filter(isOther)], 4],
  paced: [PACED, 4],
  alone: [ALONE, 1],
}

const env = { ...process.env, TAP_TIMEOUT: String(TIMEOUT) }

t.setTimeout(0)
for (const [pass, [files, jobs]] of Object.entries(PASSES)) {
  t.test(pass, { jobs, timeout: 0 }, (t) => {
    for (const name of files) {
      const path = relative(root, join(folder, `${name}.test.ts`))
      const args = ['--enable-source-maps', '--import=./integration/suite/register.mjs', path]
      const options = { cwd: root, env, buffered: true, timeout: TIMEOUT * 1000 }
      t.spawn(process.execPath, args, options, path)
    }
    t.end()
  })
}
