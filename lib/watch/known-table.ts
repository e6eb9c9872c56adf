// What a table says of itself, as last read → whether it has become another one since. No I/O of
// its own.

import type { DoorSummary } from '../automaton/language/summary.js'
import { SharedKnocks } from '../automaton/sharing/find.js'
import { CapabilityError, isNotFound } from '../errors.js'
import type { About } from '../nft/about.js'
import type { Prefix } from '../spec/model/packet-model.js'
import type { WatchedTable } from './records.js'

export type TableNews = 'installed' | 'removed'

export class KnownTable {
  readonly #table: string
  readonly #needsLog: boolean
  #doors = new Map<string, DoorSummary>()
  #shared = new SharedKnocks([])
  #guardPrefix: Prefix | undefined
  #digest: string | undefined
  #stands = true
  /** Whether the change that the next reading finds was reported already. */
  #isAnnounced = false

  /** @param needsLog - whether a table without logging is an error. */
  constructor(table: string, needsLog: boolean) {
    this.#table = table
    this.#needsLog = needsLog
  }

  get doors(): readonly DoorSummary[] {
    return [...this.#doors.values()]
  }

  door(name: string): DoorSummary | undefined {
    return this.#doors.get(name)
  }

  get watched(): WatchedTable {
    return {
      table: this.#table,
      grantTimeout: (door) => this.#doors.get(door)?.grantTimeout,
      isForEveryone: (door) => this.#doors.get(door)?.scope === 'everyone',
      grantPrefix: (door) => this.#doors.get(door)?.prefix,
      guardPrefix: this.#guardPrefix,
      shared: this.#shared,
      door: (name) => this.#doors.get(name),
    }
  }

  /** @throws CapabilityError if the table has no log and `needsLog` is set. */
  take({ doors, digest, log, guardPrefix }: About): void {
    if (log === undefined && this.#needsLog) {
      const missing = `what happens in table inet ${this.#table}`
      throw new CapabilityError('watch', missing, 'its spec has "log": false, so it logs nothing')
    }
    this.#doors = new Map(doors.map((door) => [door.name, door]))
    this.#shared = new SharedKnocks(doors)
    this.#guardPrefix = guardPrefix
    this.#digest = digest
    this.#stands = true
  }

  /** Notes that an event has reported a change of the table. */
  announce(): void {
    this.#isAnnounced = true
  }

  /**
   * Reads the table again; `read` must call `take`.
   *
   * @returns what became of the table, if that was not reported already.
   */
  async follow(read: () => Promise<void>): Promise<TableNews | undefined> {
    const wasAnnounced = this.#isAnnounced
    this.#isAnnounced = false
    const [before, stood] = [this.#digest, this.#stands]
    try {
      await read()
    } catch (error) {
      if (!isNotFound(error)) {
        // The next reading finds what was announced.
        this.#isAnnounced ||= wasAnnounced
        throw error
      }
      this.#stands = false
    }
    if (wasAnnounced || this.#isAnnounced) return undefined
    if (!this.#stands) return stood ? 'removed' : undefined
    return !stood || before !== this.#digest ? 'installed' : undefined
  }

  get stands(): boolean {
    return this.#stands
  }
}
