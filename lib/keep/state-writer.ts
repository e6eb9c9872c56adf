// Writes a state soon after it has changed, and again until it is written. Wiring only.
import type { Clock } from '../clock/clock.js'
import type { KnockState } from '../spec/generated/state-types.js'

interface StateWriterOptions {
  readonly clock: Clock
  readonly write: (state: KnockState) => Promise<void>
  /** What is to be written; undefined: nothing yet. */
  readonly state: () => KnockState | undefined
  /** Called once until a state can be written, and if the last one cannot. */
  readonly failed: (error: unknown) => void
  /** Aborted: nothing more is tried again, but for the last one. */
  readonly signal: AbortSignal
}

/**
 * Milliseconds in which changes are written together: what has been used is worth no longer a wait.
 */
const GATHER = 100
/** Milliseconds until it is tried again. */
const RETRY = 1000

export class StateWriter {
  readonly #options: StateWriterOptions
  #isDue = false
  #writing: Promise<void> | undefined
  /** Reported already; true until one succeeds. */
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
        // The last state is written anew.
        if (signal.aborted) break
        const { message } = error as Error
        if (message !== this.#failure) failed(error)
        this.#failure = message
        this.#isDue = true
        await clock.pause(RETRY, signal)
      }
    }
    // Not a moment later: what changed between would not be written.
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
