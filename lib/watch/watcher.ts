// What `Knock.watch` gives: the events of a table as they happen. The rest of watching is loaded
// with the first one.
import { ArgumentError } from '../errors.js'
import type { KnockEvent } from '../view/event.js'
import type { RelayedEvents, RelayedOptions } from './relayed.js'
import type { TablePlace } from './table-source.js'

export interface WatchOptions {
  /** Ends the watch: the iteration is over, without an error. */
  readonly signal?: AbortSignal
  /** The most events that wait for whoever iterates. Default: 10,000. */
  readonly queue?: number
}

/**
 * The events of a table. One iteration at a time; `return`, which leaving a `for await` calls, ends
 * the watch.
 */
export interface Watcher extends AsyncIterableIterator<KnockEvent, undefined>, AsyncDisposable {
  /** Settles when nothing is missed any more; rejects as the iteration does. */
  readonly ready: Promise<void>
  next(): Promise<IteratorResult<KnockEvent, undefined>>
  /** Settles when the processes that read are gone and the NFLOG group is free. */
  return(): Promise<IteratorReturnResult<undefined>>
  [Symbol.asyncIterator](): Watcher
}

const QUEUE = 10_000

export class KnockWatcher implements Watcher {
  readonly ready: Promise<void>
  readonly #watcher: Promise<RelayedEvents>

  /** @throws ArgumentError */
  constructor(place: TablePlace, { signal, queue = QUEUE }: WatchOptions) {
    if (!Number.isSafeInteger(queue) || queue < 1) {
      throw new ArgumentError(`watch: queue: expected a whole number from 1, got ${queue}`)
    }
    this.#watcher = begin(place, { signal, queue })
    this.ready = this.#watcher.then((watcher) => watcher.ready)
    // Only the iteration rejects with it: without one, nobody may care.
    this.ready.catch(() => {})
  }

  async next(): Promise<IteratorResult<KnockEvent, undefined>> {
    return (await this.#watcher).next()
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    return (await this.#watcher).return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

async function begin(place: TablePlace, options: RelayedOptions): Promise<RelayedEvents> {
  const { RelayedEvents } = await import('./relayed.js')
  return new RelayedEvents(place, options)
}
