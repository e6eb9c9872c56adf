// A program → the same one in a namespace, which has said that it is ready and ends with its stdin.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { start } from './namespaces.js'

export interface Program extends AsyncDisposable {
  readonly child: ChildProcess
  /** Ends it. It may have ended already. */
  end(): Promise<void>
}

/**
 * Starts Node with these arguments, and waits for the first text that the program writes. The
 * program ends with its stdin, so it cannot outlive this process.
 *
 * @throws if it ends before.
 */
export async function startProgram(namespace: string, args: readonly string[]): Promise<Program> {
  const child = start(namespace, process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  // Heard from the start: nothing comes of a process that has ended.
  const ended = once(child, 'exit')
  // It can end before all is written.
  child.stdin?.on('error', () => {})
  const end = async (): Promise<void> => {
    child.stdin?.end()
    await ended
  }
  const isReady = await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, 'data').then(() => true),
    ended.then(() => false),
  ])
  if (!isReady) {
    throw new Error(`the program has ended: ${child.signalCode ?? child.exitCode ?? 'unknown'}`)
  }
  return { child, end, [Symbol.asyncDispose]: end }
}
