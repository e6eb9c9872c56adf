// Files of tests → one process for each, as many at a time as asked for. Starts processes.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Seconds that a file may take, and as many for each test of it. */
const TIMEOUT = 900
/**
 * tap would make each Node process, and each that a test starts, load a part of tap: the command
 * would take twice as long to start.
 */
const PLAIN = ['-u', 'NODE_OPTIONS', process.execPath]
const ARGS = [...PLAIN, '--enable-source-maps', '--import=./integration/suite/register.mjs']

/**
 * Runs files as subtests of `t`, named by their paths from the root.
 * @param {import('tap').Test} t
 * @param {string} name
 * @param {{ readonly files: readonly string[], readonly jobs: number, readonly env?:
 * (path: string) => NodeJS.ProcessEnv }} pass - `env`: what a file's process has besides.
 */
export function runFiles(t, name, { files, jobs, env = () => ({}) }) {
  t.setTimeout(0)
  const all = { ...process.env, TAP_TIMEOUT: String(TIMEOUT) }
  return t.test(name, { jobs, timeout: 0 }, (t) => {
    for (const path of files) {
      const own = { ...all, ...env(path) }
      const options = { cwd: root, env: own, buffered: true, timeout: TIMEOUT * 1000 }
      t.spawn('env', [...ARGS, path], options, path)
    }
    t.end()
  })
}
