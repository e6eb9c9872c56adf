// A table → its events, from its NFLOG group, or from the keeper while that has the group. Switches
// between the two.
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { NetlinkError } from '../errors.js'
import { socketPath } from '../relay/place.js'
import { connectToKeeper, receiveEvents } from '../relay/receiver.js'
import type { KnockEvent } from '../view/event.js'
import type { ReaderShares } from './readers.js'
import { type TablePlace, TableSource } from './table-source.js'
import { TableWatcher } from './watch-table.js'

export interface RelayedOptions {
  readonly signal?: AbortSignal | undefined
  readonly queue: number
  /** The doors whose events are wanted; absent: all. */
  readonly doors?: readonly string[] | undefined
  readonly shares?: ReaderShares
  /** Connects to the table's keeper; undefined if there is none. */
  readonly connect?: typeof connectByPlace
}

/**
 * Milliseconds between two searches for a keeper, and the time to wait for the return of one that
 * ended.
 */
const LOOK_EVERY = 250
const KEEPER_RETURNS = 2000
/** Milliseconds after a keeper's end for which both the group and a keeper may be missing. */
const PATIENCE = 20_000

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

interface Source {
  next(): Promise<IteratorResult<KnockEvent, unknown>>
  return(): Promise<unknown>
  /** Whether another source follows when this one ends. */
  readonly isFollowed: boolean
}

export class RelayedEvents {
  /** Settles when nothing is missed any more; rejects as `next` does. */
  readonly ready: Promise<void>
  readonly #place: TablePlace
  readonly #options: RelayedOptions
  readonly #connect: typeof connectByPlace
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  #source: Promise<Source>
  #hadKeeper = false
  #hasFailed = false

  constructor(place: TablePlace, options: RelayedOptions) {
    this.#place = place
    this.#options = options
    const { signal, connect = connectByPlace } = options
    this.#connect = connect
    const own = this.#stop.signal
    this.#signal = signal ? AbortSignal.any([signal, own]) : own
    this.#source = this.#open()
    this.ready = this.#source.then(() => {})
    this.ready.catch(() => {})
  }

  async next(): Promise<IteratorResult<KnockEvent, undefined>> {
    const { doors } = this.#options
    for (;;) {
      const result = await this.#next()
      const isOther = !result.done && 'door' in result.value && !doors?.includes(result.value.door)
      if (!doors || !isOther) return result
    }
  }

  async #next(): Promise<IteratorResult<KnockEvent, undefined>> {
    if (this.#hasFailed) return DONE
    const asked = this.#source
    try {
      const source = await asked
      const { done, value } = await source.next()
      if (!done) return { done: false, value }
      if (this.#signal.aborted || !source.isFollowed) return DONE
      if (asked === this.#source) this.#source = this.#follow(source)
      // It is unknown what happened between the two sources.
      return { done: false, value: { time: new Date().toISOString(), event: 'overrun' } }
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#stop.abort()
    const source = await this.#source.catch(() => undefined)
    await source?.return()
    return DONE
  }

  async #follow(before: Source): Promise<Source> {
    await before.return()
    // A keeper that reloads its spec is back soon, and needs the group itself.
    const keeper = await this.#awaitKeeper(KEEPER_RETURNS)
    return keeper ?? this.#open(performance.now() + PATIENCE)
  }

  async #open(until = 0): Promise<Source> {
    for (;;) {
      try {
        return await this.#readLog()
      } catch (error) {
        const isTaken = error instanceof NetlinkError && error.code === 'EBUSY'
        if (!isTaken || this.#signal.aborted) throw error
        const keeper = await this.#keeper()
        if (keeper) return keeper
        if (performance.now() >= until) throw error
        await this.#pause()
      }
    }
  }

  async #readLog(): Promise<Source> {
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#signal, stop.signal])
    const { queue, shares, doors } = this.#options
    const source = new TableSource(this.#place, doors)
    const watcher = new TableWatcher(source, { signal, queue, needsLog: true, shares })
    try {
      await watcher.ready
    } catch (error) {
      await watcher.return()
      throw error
    }
    const isFollowed = this.#hadKeeper
    if (isFollowed) this.#giveWay(stop)
    return {
      isFollowed,
      async next() {
        const { done, value } = await watcher.next()
        return done ? DONE : { done: false, value: value.event }
      },
      async return() {
        stop.abort()
        return watcher.return()
      },
    }
  }

  /**
   * Leaves the group to a keeper that came back: only the log shows it what packets did just before
   * a flush.
   */
  #giveWay(stop: AbortController): void {
    const look = async () => {
      while (!stop.signal.aborted && !this.#signal.aborted) {
        const socket = await this.#connect(this.#place)
        socket?.destroy()
        if (socket) stop.abort()
        await sleep(LOOK_EVERY, undefined, { signal: stop.signal, ref: false }).catch(() => {})
      }
    }
    look().catch(() => {})
  }

  async #awaitKeeper(milliseconds: number): Promise<Source | undefined> {
    const until = performance.now() + milliseconds
    while (!this.#signal.aborted && performance.now() < until) {
      const keeper = await this.#keeper()
      if (keeper) return keeper
      await this.#pause()
    }
    return undefined
  }

  async #keeper(): Promise<Source | undefined> {
    const socket = await this.#connect(this.#place)
    if (!socket) return undefined
    this.#hadKeeper = true
    const events = receiveEvents(socket, this.#signal)
    return {
      isFollowed: true,
      next: () => events.next(),
      async return() {
        socket.destroy()
        return events.return()
      },
    }
  }

  async #pause(): Promise<void> {
    await sleep(LOOK_EVERY, undefined, { signal: this.#signal }).catch(() => {})
  }
}

async function connectByPlace({ nft, table }: TablePlace): Promise<Socket | undefined> {
  if (nft.netns === undefined) return undefined
  const path = await socketPath(nft.netns, table).catch(() => undefined)
  return path === undefined ? undefined : connectToKeeper(path)
}
