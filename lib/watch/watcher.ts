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
 * The events of a table: knocks, grants, attempts that end, packets that are turned away, bans,
 * grants that are closed or expire, what calls of any process open or close, and what becomes of
 * the table. One iteration at a time; `return`, which leaving a `for await` calls, ends the watch.
 *
 * Events come in the order in which they were read, of packets as many in a second as `log.rate` in
 * the spec allows. What is lost on the way, because nobody iterates fast enough or the kernel's
 * buffer is full, is an `overrun` in its place. A child process reads the NFLOG group for all
 * watchers of this process. While a keeper (`keepInstalled`, `knocklib run`) has the group, its
 * events come through a socket; no other process can watch the same group meanwhile.
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
