// What a command has around it: its process, the kernel, the time. Types only: command-process.ts
// gives the real ones, a test its own.
import type { Clock } from '../../clock/clock.js'
import type { KernelOptions } from '../../index.js'

/** What commands use of Node's `process`: streams, environment, signals, and its end. */
export type CommandProcess = Pick<
  NodeJS.Process,
  'env' | 'exit' | 'kill' | 'off' | 'on' | 'pid' | 'stderr' | 'stdin' | 'stdout'
>

export interface Context {
  readonly process: CommandProcess
  /** Given to each call of the library that asks the kernel. Empty: nft as it is found here. */
  readonly kernel: KernelOptions
  readonly clock: Clock
}
