// An address that may not exist yet → metrics served there as soon as it does. A failure does not
// end the process.
import { setTimeout as sleep } from 'node:timers/promises'
import { ArgumentError } from '../../index.js'
import type { ListenAddress, MetricsServer, serveMetrics } from '../../service/metrics-server.js'

/** Milliseconds until the next try. */
const RETRY = 3000

interface ListenerOptions {
  readonly serve: typeof serveMetrics
  readonly render: () => Promise<string>
  /**
   * `onServed` is called with the place that is served, `onFailure` with each new reason for a
   * failure.
   */
  readonly onServed: (place: ListenAddress) => void
  readonly onFailure: (message: string) => void
  readonly retry?: number
}

/** Starts to serve, or keeps trying. `start` resolves after the first try. */
export class MetricsListener implements AsyncDisposable {
  readonly #address: ListenAddress
  readonly #options: ListenerOptions
  readonly #stop = new AbortController()
  #server: MetricsServer | undefined
  #trying: Promise<void> | undefined
  #failure: string | undefined

  private constructor(address: ListenAddress, options: ListenerOptions) {
    this.#address = address
    this.#options = options
  }

  static async start(address: ListenAddress, options: ListenerOptions): Promise<MetricsListener> {
    const listener = new MetricsListener(address, options)
    if (!(await listener.#try())) listener.#trying = listener.#tryAgain()
    return listener
  }

  async #tryAgain(): Promise<void> {
    const { retry = RETRY } = this.#options
    do {
      await sleep(retry, undefined, { signal: this.#stop.signal }).catch(() => {})
    } while (!this.#stop.signal.aborted && !(await this.#try()))
  }

  /** Returns whether the metrics are served now. */
  async #try(): Promise<boolean> {
    const { serve, render, onServed, onFailure } = this.#options
    try {
      const server = await serve(this.#address, render)
      this.#server = server
      onServed({ address: server.address, port: server.port })
      return true
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error
      if (error.message !== this.#failure) onFailure(error.message)
      this.#failure = error.message
      return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#trying
    await this.#server?.close()
  }
}
