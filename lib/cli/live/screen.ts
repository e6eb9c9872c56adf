// Lines → the terminal's alternate screen; keys and signals → calls. Always restores the terminal.
import type { ReadStream, WriteStream } from 'node:tty'

const CONTROL = '\u001b['
/** The alternate screen, so that the old content comes back; no cursor; no automatic line wrap. */
const ENTER = `${CONTROL}?1049h${CONTROL}?25l${CONTROL}?7l`
const LEAVE = `${CONTROL}?7h${CONTROL}?25h${CONTROL}?1049l`
const HOME = `${CONTROL}H`
const ERASE_LINE = `${CONTROL}K`
/**
 * Synchronized output: the terminal shows a frame at once. Terminals that do not know it ignore it.
 */
const BEGIN_FRAME = `${CONTROL}?2026h`
const END_FRAME = `${CONTROL}?2026l`

/** What the user or the system asks for. */
interface Requests {
  /** A key was typed. */
  key(key: string): void
  /** The size changed, or the process is in the foreground again. */
  redraw(): void
  /** A signal to end, or the terminal is gone. */
  end(): void
}

export class Screen {
  readonly #stdin: ReadStream
  readonly #stdout: WriteStream
  readonly #requests: Requests
  #isTaken = false

  constructor(stdin: ReadStream, stdout: WriteStream, requests: Requests) {
    this.#stdin = stdin
    this.#stdout = stdout
    this.#requests = requests
  }

  /** Takes the terminal until `close`, or until the process ends. */
  open(): void {
    this.#listen('on')
    this.#take()
  }

  /**
   * Draws as many lines as the screen has. Skips the frame if the terminal does not keep up; the
   * next one is newer.
   */
  draw(lines: readonly string[]): void {
    if (!this.#isTaken || this.#stdout.writableNeedDrain) return
    // Erases before writing: after a line as wide as the screen, its last sign would be erased.
    const body = lines.map((line) => ERASE_LINE + line).join('\r\n')
    this.#stdout.write(BEGIN_FRAME + HOME + body + END_FRAME)
  }

  close(): void {
    this.#listen('off')
    this.#giveBack()
  }

  #listen(change: 'on' | 'off'): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process[change](signal, this.#end)
    process[change]('SIGCONT', this.#takeAgain)
    process[change]('exit', this.#giveBack)
    // Before the error is printed, so that it can be read.
    process[change]('uncaughtExceptionMonitor', this.#giveBack)
    this.#stdout[change]('resize', this.#redraw)
    this.#stdout[change]('error', this.#end)
    this.#stdin[change]('data', this.#type)
    this.#stdin[change]('error', this.#end)
  }

  #take(): void {
    this.#isTaken = true
    if (this.#stdin.isTTY) this.#stdin.setRawMode(true)
    this.#stdin.setEncoding('utf8').resume()
    this.#stdout.write(ENTER)
    this.#requests.redraw()
  }

  readonly #giveBack = (): void => {
    if (!this.#isTaken) return
    this.#isTaken = false
    // Fails on a terminal that is gone, which needs no restoring.
    try {
      if (this.#stdin.isTTY) this.#stdin.setRawMode(false)
      this.#stdin.pause()
      this.#stdout.write(LEAVE)
    } catch {}
  }

  readonly #takeAgain = (): void => {
    if (!this.#isTaken) this.#take()
  }

  readonly #redraw = (): void => this.#requests.redraw()
  readonly #end = (): void => this.#requests.end()

  readonly #type = (keys: string): void => {
    for (const key of keys) {
      if (key === SUSPEND) this.#suspend()
      else if (key === INTERRUPT) this.#requests.end()
      else this.#requests.key(key)
    }
  }

  #suspend(): void {
    this.#giveBack()
    process.kill(process.pid, 'SIGTSTP')
  }
}

/** Ctrl-C and Ctrl-Z, which raw mode delivers as keys. */
const INTERRUPT = '\u0003'
const SUSPEND = '\u001a'
