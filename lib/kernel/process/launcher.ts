// The arguments of nft → a run of it on this machine, in this process's network namespace or in
// another.
import { type Binary, chooseBinary } from './binary.js'
import { type Given, HandOver } from './hand-over.js'
import { inNamespace } from './launch.js'
import { type Limits, type Result, run } from './run.js'

/** Starts nft, here or elsewhere. */
export interface Launcher {
  /** As `Nft` has it. */
  readonly netns?: string
  /** As `Nft` has it. */
  readonly host?: string
  readonly binary: Binary
  /** How documents are given to this nft. */
  readonly handOver: HandOver
  /** What stands before nft's arguments in a line about a call. */
  readonly label: string
  /**
   * Runs nft once. Resolves with the result also if nft fails.
   * @throws as `run`, and NftError if nft could not be started elsewhere.
   */
  start(args: readonly string[], asked: Limits, given: Partial<Given>): Promise<Result>
  /** As `Nft` has it. */
  close?(): void
}

export class LocalLauncher implements Launcher {
  readonly netns: string
  readonly binary: Binary
  readonly handOver = new HandOver()
  readonly label = 'nft'
  readonly #command: readonly string[]

  constructor({ binary, netns }: { readonly binary?: string; readonly netns?: string }) {
    this.binary = chooseBinary(binary)
    this.netns = netns ?? ''
    const { path } = this.binary
    this.#command = netns === undefined ? [path] : [...inNamespace(netns), path]
  }

  start(args: readonly string[], asked: Limits, given: Partial<Given>): Promise<Result> {
    return run([...this.#command, ...args], asked, given)
  }
}
