// Runs the integration tests in three passes, each with as many files at a time as its tests bear; ends with 1 if any failed.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)

/** Mostly asleep: what they measure is seconds, and several at a time are no burden. */
const PACED = ['paced', 'cookbook-paced', 'token-times', 'peers']

/** These race, flood or time the kernel, and want the machine for themselves. */
const ALONE = ['connection-races', 'packet-path', 'reload', 'thousand', 'token-races', 'watch']

const tests = readdirSync(here, { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .sort()
const nameOf = (test) => test.replace(/\.test\.ts$/, '')
const pick = (names) => tests.filter((test) => names.includes(nameOf(test)))
const lost = [...PACED, ...ALONE].filter((name) => !tests.includes(`${name}.test.ts`))
if (lost.length > 0) throw new Error(`no such test: ${lost.join(', ')}`)
const rest = tests.filter((test) => ![...PACED, ...ALONE].includes(nameOf(test)))

/** Files, and how many of them run at a time. */
const PASSES = [
  [rest, 3],
  [pick(PACED), 4],
  [pick(ALONE), 1],
]

function run([files, jobs]) {
  const paths = files.map((file) => relative(root, join(here, file)))
  const args = ['run', '--disable-coverage', `--jobs=${jobs}`, '--timeout=360', ...paths]
  return spawnSync('tap', args, { cwd: root, stdio: 'inherit' }).status === 0
}

const results = PASSES.map(run)
process.exitCode = results.every(Boolean) ? 0 : 1
