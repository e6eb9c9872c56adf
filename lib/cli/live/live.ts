// A table's events and statuses → a live view on a terminal, drawn each second and after each
// change. Uses terminal, signals and clock.
import type { ReadStream, WriteStream } from 'node:tty'
import type { KnockEvent, Status } from '../../index.js'
import { PAINTED, paintLine, UNPAINTED } from '../draw/paint.js'
import { type Environment, terminalOf } from '../draw/terminal.js'
import { addEvents, correctModel, emptyModel, failToRead, type LiveModel } from './live-model.js'
import { viewLive } from './live-view.js'
import { Screen } from './screen.js'

interface LiveOptions {
  readonly table: string
  /** Reads the whole table. Never called again before it has answered. */
  status(): Promise<Status>
  /** Ends or rejects when the signal is aborted. */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<KnockEvent>
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly env: Environment
}

const SECOND = 1000
/** The least milliseconds between two frames. */
const FRAME = 50
/**
 * The pause between frames is at least this many times the drawing time, so that events get the
 * rest.
 */
const DRAW_SHARE = 4
/**
 * Milliseconds: the table is read this often, and sooner after an event. Between two reads is a
 * pause, because nft lists the whole table.
 */
const READ_EVERY = 5 * SECOND
const READ_AFTER_EVENT = 200
const LEAST_PAUSE = SECOND

/**
 * Shows grants, attempts and events until the user quits (q, Ctrl-C, SIGINT, SIGTERM, SIGHUP) or
 * the terminal is gone. Always restores the terminal.
 *
 * @throws what `watch` rejects with.
 */
export async function runLive(options: LiveOptions): Promise<void> {
  const quit = new AbortController()
  const live = new Live(options, quit)
  live.start()
  try {
    for await (const event of options.watch({ signal: quit.signal })) live.hear(event)
  } catch (error) {
    if (!quit.signal.aborted) throw error
  } finally {
    quit.abort()
    live.stop()
  }
}

class Live {
  readonly #options: LiveOptions
  readonly #quit: AbortController
  readonly #screen: Screen
  #model: LiveModel
  /** Events that are not in the model yet. */
  readonly #heard: KnockEvent[] = []
  #frame: NodeJS.Timeout | undefined
  #second: NodeJS.Timeout | undefined
  #reading: NodeJS.Timeout | undefined
  #drawTook = 0
  #nextRead = 0
  #pauseUntil = 0
  #isReading = false
  /** Whether an event came during a read. */
  #isReadAgain = false

  constructor(options: LiveOptions, quit: AbortController) {
    this.#options = options
    this.#quit = quit
    this.#model = emptyModel(options.table)
    this.#screen = new Screen(options.stdin, options.stdout, {
      key: (key) => {
        if (key === 'q' || key === 'Q') quit.abort()
      },
      redraw: () => this.#draw(),
      end: () => quit.abort(),
    })
    // Restores the terminal at once, even if the watcher needs longer to end.
    quit.signal.addEventListener('abort', () => this.stop(), { once: true })
  }

  start(): void {
    this.#screen.open()
    this.#second = setInterval(() => this.#drawSoon(), SECOND)
    this.#readIn(0)
  }

  stop(): void {
    clearTimeout(this.#frame)
    clearInterval(this.#second)
    clearTimeout(this.#reading)
    this.#screen.close()
  }

  hear(event: KnockEvent): void {
    this.#heard.push(event)
    this.#readIn(READ_AFTER_EVENT)
    this.#drawSoon()
  }

  /** Adds all waiting events at once: one by one would take too long with very many sources. */
  #takeHeard(): void {
    if (this.#heard.length > 0) this.#model = addEvents(this.#model, this.#heard.splice(0))
  }

  #drawSoon(): void {
    this.#frame ??= setTimeout(() => this.#draw(), Math.max(FRAME, DRAW_SHARE * this.#drawTook))
  }

  #draw(): void {
    const begun = performance.now()
    this.#takeHeard()
    clearTimeout(this.#frame)
    this.#frame = undefined
    const { stdout, env } = this.#options
    const terminal = terminalOf(stdout, env)
    const paint = terminal.colour ? PAINTED : UNPAINTED
    const lines = viewLive(this.#model, Date.now(), terminal)
    this.#screen.draw(lines.map((line) => paintLine(line, paint)))
    this.#drawTook = performance.now() - begun
  }

  /**
   * Plans the next read in `delay` milliseconds, unless one is due sooner. It starts after the
   * current read and a pause.
   */
  #readIn(delay: number): void {
    if (this.#isReading) {
      this.#isReadAgain = true
      return
    }
    const at = Math.max(performance.now() + delay, this.#pauseUntil)
    if (this.#reading && this.#nextRead <= at) return
    clearTimeout(this.#reading)
    this.#nextRead = at
    this.#reading = setTimeout(() => void this.#read(), at - performance.now())
  }

  async #read(): Promise<void> {
    this.#reading = undefined
    this.#isReading = true
    const begun = performance.now()
    const askedAt = Date.now()
    try {
      const status = await this.#options.status()
      this.#takeHeard()
      this.#model = correctModel(this.#model, status, askedAt)
    } catch (error) {
      this.#model = failToRead(this.#model, error instanceof Error ? error.message : String(error))
    }
    this.#isReading = false
    if (this.#quit.signal.aborted) return
    const ended = performance.now()
    this.#pauseUntil = ended + Math.max(LEAST_PAUSE, ended - begun)
    this.#readIn(this.#isReadAgain ? 0 : READ_EVERY)
    this.#isReadAgain = false
    this.#draw()
  }
}
