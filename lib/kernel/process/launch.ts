// A command line → a child process with pipes, in this process's network namespace or in another.
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/**
 * Returns the words before a command that run it in a namespace, which is a name as `ip netns`
 * knows it, or a path.
 */
export const inNamespace = (netns: string): [string, ...string[]] => [
  'nsenter',
  `--net=${netns.includes('/') ? netns : `/run/netns/${netns}`}`,
  '--',
]

export type Piped = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts a process. Returns an error if the system cannot start one. */
export function launch(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Piped | Error {
  try {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
    if ((child as ChildProcess).stdout) return child
    // Without descriptors for its streams Node returns a child that has none and never closes.
    child.on('error', () => {})
    return new Error('no file descriptors are left for the process that reads it')
  } catch (error) {
    return error as Error
  }
}
