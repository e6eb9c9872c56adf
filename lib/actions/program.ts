// A program, its arguments and an event → the program has run, without a shell, in a process group
// of its own.
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Clock } from '../clock/clock.js'
import { ENDED, type Told } from './told.js'

/** Milliseconds from SIGTERM to SIGKILL. */
export const KILL_AFTER = 2000
/** The most bytes of stderr that are kept, and characters of its last line that are reported. */
const KEPT = 2048
const LONGEST = 200

/** What a program gets of this process's environment. The rest may have secrets. */
const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ'] as const
const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Runs a program. Its stdin is the document, its stdout is discarded. A program that ended may
 * leave processes behind. If the signal is aborted, the whole process group is ended: SIGTERM, and
 * SIGKILL after `KILL_AFTER`.
 *
 * @returns undefined if it exited with 0, otherwise why not.
 */
export function runProgram(
  [program, ...args]: readonly [program: string, ...args: string[]],
  { variables, document }: Told,
  signal: AbortSignal,
  clock: Pick<Clock, 'after'>,
): Promise<string | undefined> {
  const child = spawn(program, args, {
    cwd: '/',
    env: { ...environment(), ...variables },
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const lastWords = keepEnd(child.stderr)
  // A program need not read its stdin.
  child.stdin.on('error', () => {}).end(`${document}\n`)
  return new Promise((resolve) => {
    let cancel = () => {}
    const end = () => {
      endGroup(child.pid, 'SIGTERM')
      cancel = clock.after(KILL_AFTER, () => endGroup(child.pid, 'SIGKILL'))
    }
    const settle = (reason: string | undefined) => {
      signal.removeEventListener('abort', end)
      cancel()
      // What it left behind may hold the other ends.
      child.stdin.destroy()
      child.stderr.destroy()
      resolve(reason)
    }
    child.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (child.pid === undefined) settle(`cannot be started (${code})`)
    })
    // On `exit`, not on `close`: what it left behind may keep stderr open for ever.
    child.once('exit', (code, by) => {
      if (signal.aborted) endGroup(child.pid, 'SIGKILL')
      // Lets the last words arrive.
      setImmediate(() =>
        settle(signal.aborted && code !== 0 ? ENDED : reasonOf(code, by, lastWords())),
      )
    })
    signal.addEventListener('abort', end, { once: true })
  })
}

function environment(): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { PATH: USUAL_PATH, ...Object.fromEntries(passed) }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The whole group has ended already.
  }
}

function reasonOf(code: number | null, by: string | null, words: string): string | undefined {
  if (code === 0) return undefined
  const how = code === null ? `ended by ${by}` : `exit code ${code}`
  return words === '' ? how : `${how}: ${words}`
}

/** Reads a stream, and returns a function that returns its last line so far. */
function keepEnd(stream: Readable): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-KEPT)
  })
  return () => text.trimEnd().split('\n').at(-1)?.trim().slice(0, LONGEST) ?? ''
}
