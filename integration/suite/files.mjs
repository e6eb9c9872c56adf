// Files of tests → one process for each, as many at a time as asked for. Starts processes.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Seconds that a file may take, and as many for each test of it. */
const TIMEOUT = 600
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
 * NodeJS.ProcessEnv }} pass
 */
export function runFiles(t, name, { files, jobs, env = {} }) {
  t.setTimeout(0)
  const all = { ...process.env, TAP_TIMEOUT: String(TIMEOUT), ...env }
  return t.test(name, { jobs, timeout: 0 }, (t) => {
    for (const path of files) {
      const options = { cwd: root, env: all, buffered: true, timeout: TIMEOUT * 1000 }
      t.spawn('env', [...ARGS, path], options, path)
    }
    t.end()
  })
}
