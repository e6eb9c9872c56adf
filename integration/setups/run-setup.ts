// A folder with files → a server that runs `knocklib run` there: its output and its exit.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { CLI } from '../machine/built.js'
import { createPair, exec, NFT, type Pair, SERVER, start } from '../machine/namespaces.js'
import { until } from '../machine/until.js'

export const DOOR = {
  name: 'ssh',
  service: 'tcp/22',
  knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000'], stepTimeout: '20s' },
  open: { for: '10m' },
}

export interface Line {
  readonly event: string
  readonly [more: string]: unknown
}

/** A pair of namespaces in which `knocklib run` runs, and a folder for its files. */
export class RunSetup implements AsyncDisposable {
  readonly pair: Pair
  readonly folder: string
  readonly lines: Line[] = []
  stderr = ''
  #child: ChildProcess | undefined
  #exit: Promise<unknown[]> | undefined

  constructor(pair: Pair, folder: string) {
    this.pair = pair
    this.folder = folder
  }

  static async open(): Promise<RunSetup> {
    const setup = new RunSetup(await createPair(), await mkdtemp(join(tmpdir(), 'knocklib-')))
    await setup.write('doors.json', { doors: [DOOR] })
    return setup
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  async write(name: string, content: object): Promise<void> {
    await writeFile(this.file(name), JSON.stringify(content))
  }

  run(args: readonly string[] = [], env: Record<string, string> = {}): void {
    this.lines.length = 0
    const child = start(
      this.pair.server,
      process.execPath,
      [CLI, 'run', this.file('doors.json'), ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, KNOCKLIB_NFT: NFT, ...env } },
    )
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line)
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.#child = child
    this.#exit = once(child, 'exit')
  }

  get pid(): number {
    return this.#child?.pid as number
  }

  /** Sends a signal and returns the exit code, or the signal that ended the process. */
  async end(signal: NodeJS.Signals): Promise<unknown> {
    // nsenter replaces itself by the command, so the signal reaches that.
    this.#child?.kill(signal)
    const [code, ended] = (await this.#exit) ?? []
    return code ?? ended
  }

  named(name: string): Line[] {
    return this.lines.filter(({ event }) => event === name)
  }

  async heard(name: string, count = 1): Promise<Line> {
    await until(
      () => this.named(name).length >= count,
      `${count} ${name}`,
      () => [this.stderr, ...this.lines.map((line) => JSON.stringify(line))].join('\n'),
    )
    return this.named(name)[count - 1] as Line
  }

  cli(...args: string[]) {
    const env = { ...process.env, KNOCKLIB_NFT: NFT }
    return exec(this.pair.server, process.execPath, [CLI, ...args], { env })
  }

  async isThere(table = 'knock'): Promise<boolean> {
    return (await exec(this.pair.server, NFT, ['list', 'table', 'inet', table])).code === 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.end('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
    await this.pair[Symbol.asyncDispose]()
  }
}

export const knockAt = (setup: RunSetup) =>
  exec(setup.pair.client, 'knock', ['-4', '-d', '20', SERVER[4], '7000', '8000:udp'])

/** Runs a test with a setup of its own. */
export const withRunSetup = (
  name: string,
  skip: string | false,
  body: (t: Test, setup: RunSetup) => Promise<void>,
): void => {
  t.test(name, { skip, buffered: true }, async (t) => {
    await using setup = await RunSetup.open()
    await body(t, setup)
  })
}

/** An action that appends a line for its event to a file. */
export const note = (setup: RunSetup, more = '') => {
  const script = `echo "$KNOCK_EVENT $KNOCK_DOOR $KNOCK_SOURCE $KNOCK_BY" >> "$1"; ${more}`
  return ['/bin/sh', '-c', script, 'sh', setup.file('acted')]
}
/** The lines of that file so far. */
export const acted = async (setup: RunSetup): Promise<string[]> => {
  const text = await readFile(setup.file('acted'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
