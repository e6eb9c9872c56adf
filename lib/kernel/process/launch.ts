// A command line → a child process with pipes, in this process's network namespace or in another.
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/** What stands before a command for a namespace: a name as `ip netns` knows it, or a path. */
export const inNamespace = (netns: string): [string, ...string[]] => [
  'nsenter',
  `--net=${netns.includes('/') ? netns : `/run/netns/${netns}`}`,
  '--',
]

export type Piped = ChildProcessByStdio<Writable, Readable, Readable>

/** The error where no process could be started at all. */
export function launch(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Piped | Error {
  try {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
    if ((child as ChildProcess).stdout) return child
    // Without descriptors for its streams node gives a child that has none, and that is never
    // closed.
    child.on('error', () => {})
    return new Error('no file descriptors are left for the process that reads it')
  } catch (error) {
    return error as Error
  }
}
