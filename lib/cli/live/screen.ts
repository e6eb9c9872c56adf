// A terminal that is taken over and always given back: the other screen, no cursor, keys one by
// one. Touches the terminal and the process's signals.
import type { ReadStream, WriteStream } from 'node:tty'

const CONTROL = '\u001b['
/**
 * The alternate screen, so that what stood there before comes back; no cursor; no line breaks but
 * ours.
 */
const ENTER = `${CONTROL}?1049h${CONTROL}?25l${CONTROL}?7l`
const LEAVE = `${CONTROL}?7h${CONTROL}?25h${CONTROL}?1049l`
const HOME = `${CONTROL}H`
const ERASE_LINE = `${CONTROL}K`
/** Shown at once where the terminal knows this, and passed over where not. */
const BEGIN_FRAME = `${CONTROL}?2026h`
const END_FRAME = `${CONTROL}?2026l`

/** What people and the system want. */
interface Requests {
  /** Of keys: as they are typed. */
  key(key: string): void
  /** Another size, or back in the foreground. */
  redraw(): void
  /** A signal to end, or a terminal that is gone. */
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

  /** Takes the terminal; it is given back by `close`, and with the process at the latest. */
  open(): void {
    this.#listen('on')
    this.#take()
  }

  /**
   * Draws as many lines as the screen has. Nothing where the terminal does not keep up: the next
   * frame is newer anyway.
   */
  draw(lines: readonly string[]): void {
    if (!this.#isTaken || this.#stdout.writableNeedDrain) return
    // Erased before it is written: behind a line as wide as the screen its last sign would be.
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
    // Before the words of the error, so that they can be read.
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
    // On a terminal that is gone these fail, and there is nothing to give back.
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

/** What Ctrl-C and Ctrl-Z type where the terminal makes no signals of them. */
const INTERRUPT = '\u0003'
const SUSPEND = '\u001a'
