// An address that may not be there yet → metrics served there as soon as it is. Never ends what it
// serves for.
import { setTimeout as sleep } from 'node:timers/promises'
import { ArgumentError } from '../../index.js'
import type { ListenAddress, MetricsServer, serveMetrics } from '../../service/metrics-server.js'

/** Milliseconds until it is tried again. */
const RETRY = 3000

interface ListenerOptions {
  readonly serve: typeof serveMetrics
  readonly render: () => Promise<string>
  /** Called with the place where it is served, and once with the reason why it is not. */
  readonly onServed: (place: ListenAddress) => void
  readonly onFailure: (message: string) => void
  readonly retry?: number
}

/** Begins to serve, or goes on to try; resolves with the first try. Closed, it does neither. */
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

  /** Whether it is served now. */
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
