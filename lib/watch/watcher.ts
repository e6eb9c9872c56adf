// A table's place → the iterator that `Knock.watch` returns. Loads the rest of the room with the
// first watch.
import { ArgumentError } from '../errors.js'
import type { KnockEvent } from '../view/event.js'
import type { RelayedEvents, RelayedOptions } from './relayed.js'
import type { TablePlace } from './table-source.js'

export interface WatchOptions {
  /** Ends the watch: the iteration ends without an error. */
  readonly signal?: AbortSignal
  /** The most events that wait for the iteration. Default: 10,000. */
  readonly queue?: number
  /**
   * The names of the doors that are watched. Events of other doors are left out, and their grants
   * are not listed. Events of the whole table come all the same. Default: all doors.
   */
  readonly doors?: readonly string[] | undefined
}

/**
 * The events of a table: knocks, grants, ended attempts, denied packets, bans, grants that are
 * closed or expire, calls of any process that open or close, and changes of the table. One
 * iteration at a time. `return`, which leaving a `for await` calls, ends the watch.
 *
 * Events come in the order in which they were read. Packets make at most `log.rate` events a
 * second. If the iteration is too slow or the kernel's buffer is full, an `overrun` stands in place
 * of the lost events. A child process reads the NFLOG group for all watchers of this process. While
 * a keeper (`keepInstalled`, `knocklib run`) has the group, its events come through a socket; no
 * other process can watch the same group.
 */
export interface Watcher extends AsyncIterableIterator<KnockEvent, undefined>, AsyncDisposable {
  /** Settles when nothing is missed any more; rejects as the iteration does. */
  readonly ready: Promise<void>
  next(): Promise<IteratorResult<KnockEvent, undefined>>
  /** Settles when the reader processes are gone and the NFLOG group is free. */
  return(): Promise<IteratorReturnResult<undefined>>
  [Symbol.asyncIterator](): Watcher
}

const QUEUE = 10_000

export class KnockWatcher implements Watcher {
  readonly ready: Promise<void>
  readonly #watcher: Promise<RelayedEvents>

  /** @throws ArgumentError if `queue` is no whole number from 1. */
  constructor(place: TablePlace, { signal, queue = QUEUE, doors }: WatchOptions) {
    if (!Number.isSafeInteger(queue) || queue < 1) {
      throw new ArgumentError(`watch: queue: expected a whole number from 1, got ${queue}`)
    }
    this.#watcher = begin(place, { signal, queue, doors })
    this.ready = this.#watcher.then((watcher) => watcher.ready)
    // Without an iteration nobody may handle it.
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
