// knocklib watch on a terminal: events and statuses as they come, drawn each second and with every
// change. Touches the terminal, signals and the clock.
import type { ReadStream, WriteStream } from 'node:tty'
import type { KnockEvent, Status } from '../../index.js'
import { PAINTED, paintLine, UNPAINTED } from '../draw/paint.js'
import { type Environment, terminalOf } from '../draw/terminal.js'
import { addEvents, correctModel, emptyModel, failToRead, type LiveModel } from './live-model.js'
import { viewLive } from './live-view.js'
import { Screen } from './screen.js'

interface LiveOptions {
  readonly table: string
  /** Reads the whole table; never called again before it has answered. */
  status(): Promise<Status>
  /** Ends, or rejects, when the signal is aborted. */
  watch(options: { readonly signal: AbortSignal }): AsyncIterable<KnockEvent>
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly env: Environment
}

const SECOND = 1000
/** At most so many milliseconds behind the events, and so many frames where thousands come. */
const FRAME = 50
/** How many times longer than drawing took at least: the rest is left to the events. */
const DRAW_SHARE = 4
/**
 * The table is read again so often, and soon after an event, but not all the time: nft has to list
 * it whole.
 */
const READ_EVERY = 5 * SECOND
const READ_AFTER_EVENT = 200
const LEAST_PAUSE = SECOND

/**
 * Shows who is let in, who is on the way and what happens, until somebody quits (q, Ctrl-C, SIGINT,
 * SIGTERM, SIGHUP) or the terminal is gone. However it ends, the terminal is as it was.
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
  /** What is not in the model yet. */
  readonly #heard: KnockEvent[] = []
  #frame: NodeJS.Timeout | undefined
  #second: NodeJS.Timeout | undefined
  #reading: NodeJS.Timeout | undefined
  #drawTook = 0
  #nextRead = 0
  #pauseUntil = 0
  #isReading = false
  /** Whether an event came while the table was read. */
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
    // Whatever the watcher does then, the terminal is given back at once.
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

  /**
   * Frame by frame: one event after the other would take too long where there are very many
   * sources.
   */
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
   * Reads so soon, or sooner where that is due already; after the reading that is under way, and a
   * pause.
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
