// A fake reader process in memory: a test says what it writes, and when it ends.
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { launch, Piped } from '../../lib/kernel/process/launch.js'

/** Waits some turns of the event loop, until what was written has been read. */
export async function read(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
}

const pipe = () => Object.assign(new PassThrough(), { ref() {}, unref() {} })

export class FakeChild extends EventEmitter {
  readonly stdin = pipe()
  readonly stdout = pipe()
  readonly stderr = pipe()
  exitCode: number | null = null
  signalCode: string | null = null
  isHeld = true

  ref(): void {
    this.isHeld = true
  }

  unref(): void {
    this.isHeld = false
  }

  kill(signal: string): void {
    this.signalCode = signal
    setImmediate(() => this.emit('close'))
  }

  /** Writes a line for each record. Resolves when they have been read. */
  async say(...records: readonly object[]): Promise<void> {
    for (const record of records) this.stdout.write(`${JSON.stringify(record)}\n`)
    await read()
  }

  /** Lets the process end, with words on stderr. Resolves when that has been noticed. */
  async die(words = ''): Promise<void> {
    this.stderr.write(words)
    await read()
    this.exitCode = 1
    this.emit('close')
    await read()
  }
}

/** Makes a `launch` that starts fake processes and keeps them and their arguments. */
export function fakeLaunch() {
  const children: FakeChild[] = []
  const commands: string[][] = []
  /** If set, the error with which no process can be started. */
  const obstacle: { error?: Error } = {}
  const start: typeof launch = (command, args) => {
    commands.push([command, ...args])
    if (obstacle.error) return obstacle.error
    const child = new FakeChild()
    children.push(child)
    return child as unknown as Piped
  }
  return { start, children, commands, obstacle }
}
