// The events of a keeper → its socket, which is opened as soon as possible.
import type { Clock } from '../clock/clock.js'
import type { KnockEvent } from '../view/event.js'
import { FOLDER, socketPath } from './place.js'
import { EventSender } from './sender.js'

interface ServeOptions {
  readonly netns: string
  readonly table: string
  /** Ends the service. */
  readonly signal: AbortSignal
  /** Called once, when the socket cannot be opened. Opening is tried again. */
  readonly failed: (message: string) => void
  readonly folder?: string | undefined
  readonly clock: Pick<Clock, 'pause'>
}

/** Milliseconds until the next try, and how many tries are left to others. */
const RETRY = 5000
const RESTS = 2

export class EventService implements AsyncDisposable {
  readonly #options: ServeOptions
  readonly #opening: Promise<void>
  readonly #ended = new AbortController()
  #sender: EventSender | undefined
  #hasFailed = false
  #isOpening = false
  /** Tries that are left out. */
  #rests = 0

  constructor(options: ServeOptions) {
    this.#options = options
    this.#opening = this.#open()
  }

  /** Whether this process is the one that others hear: at most one of a table is. */
  get isServing(): boolean {
    return this.#sender?.isReached ?? false
  }

  /**
   * Leaves the socket to another process for some ten seconds: this one does not hear what packets
   * do, and another that keeps the table may. Does nothing if another has the socket.
   */
  yield(): void {
    if (!this.#sender && !this.#isOpening) return
    this.#rests = RESTS
    void this.#close()
  }

  send(event: KnockEvent): void {
    this.#sender?.send(event)
  }

  async #open(): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, this.#ended.signal])
    while (!signal.aborted) {
      const { netns, table, folder = FOLDER, failed, clock } = this.#options
      try {
        // Two keepers that begin at the same time may both open it. The later one is reached.
        if (this.#sender && !this.#sender.isReached) await this.#close()
        if (this.#rests > 0) this.#rests -= 1
        else if (!this.#sender) await this.#take(await socketPath(netns, table, folder))
      } catch (error) {
        const { message } = error as Error
        if (!this.#hasFailed)
          failed(`${message}; until then other processes cannot watch this table`)
        this.#hasFailed = true
      }
      await clock.pause(RETRY, signal, false)
    }
  }

  async #take(path: string): Promise<void> {
    this.#isOpening = true
    try {
      this.#sender = await EventSender.open(path)
    } finally {
      this.#isOpening = false
    }
    // It was to be left to others meanwhile.
    if (this.#rests > 0) await this.#close()
  }

  async #close(): Promise<void> {
    const sender = this.#sender
    this.#sender = undefined
    await sender?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort()
    await this.#opening
    await this.#close()
  }
}
