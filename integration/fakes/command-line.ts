// A command line → run in this process on nft's fake, with streams in memory: what it printed, and
// its exit code.
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { CommandProcess } from '../../lib/cli/command/context.js'
import { runCommandLine } from '../../lib/cli/main.js'
import type { Clock } from '../../lib/clock/clock.js'
import { FakeNft } from '../../lib/kernel/fake.js'
import type { Nft } from '../../lib/kernel/nft.js'
import { FakeClock } from '../fixtures/fake-clock.js'

/** Keeps what is written. Is no terminal unless a test says so. */
class Output extends EventEmitter {
  isTTY = false
  columns = 80
  rows = 24
  text = ''
  writableNeedDrain = false
  /** Whether it takes more: if not, writers wait for `drain`. */
  takesMore = true

  write(text: string): boolean {
    this.text += text
    return this.takesMore
  }
}

/** A process that nothing ends: says how it was to end. Its listeners hear what a test emits. */
export class FakeProcess extends EventEmitter {
  readonly pid = 4242
  readonly argv: string[] = []
  exitCode: number | undefined
  readonly env: Record<string, string> = {}
  readonly stdin = Object.assign(new PassThrough(), { isTTY: false, setRawMode() {} })
  readonly stdout = new Output()
  readonly stderr = new Output()
  /** `exit`, or the signal that it was to get. */
  readonly ends: string[] = []

  exit(): void {
    this.ends.push('exit')
  }

  kill(pid: number, signal: string): void {
    if (pid === this.pid) this.ends.push(signal)
  }
}

export interface Surroundings {
  readonly nft?: Nft
  readonly clock?: Clock
  readonly process?: FakeProcess
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line, such as `['status', '--json']`, to its end. */
export async function runCommand(
  argv: readonly string[],
  { nft = new FakeNft(), clock = new FakeClock(), process = new FakeProcess() }: Surroundings = {},
): Promise<Ran> {
  const { stdout, stderr } = process
  const own = process as unknown as CommandProcess
  const code = await runCommandLine(argv, { process: own, kernel: { nft }, clock })
  return { code, stdout: stdout.text, stderr: stderr.text }
}
