// A state that changes → written soon after each change, and again if that fails.
import type { Clock } from '../clock/clock.js'
import type { KnockState } from '../spec/generated/state-types.js'

interface StateWriterOptions {
  readonly clock: Clock
  readonly write: (state: KnockState) => Promise<void>
  /** The state to write; undefined if none is known yet. */
  readonly state: () => KnockState | undefined
  /** Called once until a write succeeds, and if the last write fails. */
  readonly failed: (error: unknown) => void
  /** Aborted: nothing is tried again, except the last write. */
  readonly signal: AbortSignal
}

/** Milliseconds in which changes are collected: what has been used must be saved soon. */
const GATHER = 100
/** Milliseconds until a failed write is tried again. */
const RETRY = 1000

export class StateWriter {
  readonly #options: StateWriterOptions
  #isDue = false
  #writing: Promise<void> | undefined
  /** The failure that was reported, until a write succeeds. */
  #failure: string | undefined

  constructor(options: StateWriterOptions) {
    this.#options = options
  }

  /** Settles when nothing is being written. */
  get settled(): Promise<void> | undefined {
    return this.#writing
  }

  changed(): void {
    this.#isDue = true
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    const { clock, write, state, failed, signal } = this.#options
    while (this.#isDue) {
      await clock.pause(GATHER, signal)
      const next = state()
      if (!next) break
      this.#isDue = false
      try {
        await write(next)
        this.#failure = undefined
      } catch (error) {
        // `end` writes the last state.
        if (signal.aborted) break
        const { message } = error as Error
        if (message !== this.#failure) failed(error)
        this.#failure = message
        this.#isDue = true
        await clock.pause(RETRY, signal)
      }
    }
    // Synchronously: a change between the loop's end and this would not be written.
    this.#writing = undefined
  }

  /** Writes the last state. */
  async end(): Promise<void> {
    const { write, state, failed } = this.#options
    await this.#writing
    const last = state()
    if (!last) return
    try {
      await write(last)
    } catch (error) {
      failed(error)
    }
  }
}
