// A program in a namespace, on a terminal of its own (util-linux' `script`) → what it draws; keys →
// the program.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { start } from '../machine/namespaces.js'

interface TerminalOptions {
  readonly columns: number
  readonly rows: number
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
}

const BEGIN_FRAME = '\u001b[?2026h'

/** Quotes a word for a shell. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

export class TerminalRun {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  /** Everything that was written to the terminal. */
  output = ''

  constructor(namespace: string, argv: readonly string[], options: TerminalOptions) {
    const { columns, rows, cwd, env } = options
    const size = `stty rows ${rows} cols ${columns}`
    // `exec`: the shell's signals must reach the program.
    const command = `${size}; exec ${argv.map(quote).join(' ')}`
    const args = ['--quiet', '--return', '--flush', '--command', command, '/dev/null']
    const clean = { TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: '', NO_COLOR: '' }
    const { FORCE_COLOR: _, ...inherited } = process.env
    this.#child = start(namespace, 'script', args, {
      cwd,
      env: { ...inherited, ...clean, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      this.output += part
    })
  }

  /** Returns the last whole frame of a live view as text. */
  get frame(): string {
    const [, ...frames] = this.output.split(BEGIN_FRAME)
    const whole = frames.findLast((frame) => frame.includes('\u001b[?2026l')) ?? ''
    return stripVTControlCharacters(whole).replace(/\r+\n/g, '\n')
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Waits until the last frame matches the pattern, at most for a time. Returns that frame. */
  async see(pattern: RegExp, milliseconds = 30_000): Promise<string> {
    for (let waited = 0; waited < milliseconds && !pattern.test(this.frame); waited += 20) {
      await sleep(20)
    }
    return this.frame
  }

  /**
   * Waits until the text has been written.
   *
   * @throws Error if the program ends without it.
   */
  async read(text: string): Promise<void> {
    const ended = this.#closed.then(() => 'ended')
    while (!this.output.includes(text)) {
      const came = once(this.#child.stdout as NodeJS.ReadableStream, 'data')
      if ((await Promise.race([came, ended])) !== 'ended' || this.output.includes(text)) continue
      throw new Error(`the program ended without ${text}: ${this.output}`)
    }
  }

  /** Resolves with the exit code when the program has ended. */
  async end(): Promise<number | null> {
    await this.#closed
    return this.#child.exitCode
  }

  /** Kills the program if it has not ended. */
  [Symbol.dispose](): void {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
  }
}
