// The two readers that a table's watcher listens to: of its NFLOG group, and of nftables' notifications. Starts processes.
import { NetlinkError } from '../errors.js'
import type { ReaderListener } from '../kernel/reader.js'
import type { ReaderRecord } from '../kernel/records.js'
import { type Share, shareChanges, shareLog } from '../kernel/shared-reader.js'

export interface ReadersOptions {
  readonly netns: string
  /** Whether it is a failure that another process has the group. */
  readonly needsLog: boolean
  /** What packets and transactions did. */
  record(record: ReaderRecord): void
  /** So many records are missing; undefined: nobody knows how many. */
  lost(count: number | undefined): void
  /** Records come again after some were lost. */
  restarted(): void
  failed(error: Error): void
}

export class TableReaders {
  readonly #options: ReadersOptions
  #changes: Share | undefined
  #log: Share | undefined
  #group: number | undefined
  #isHeld = true

  constructor(options: ReadersOptions) {
    this.#options = options
  }

  /** @throws NetlinkError as `Reader.start`; then neither is left. */
  async start(group: number | undefined): Promise<void> {
    // One after the other would take twice as long.
    const [changes, log] = await Promise.allSettled([
      shareChanges(this.#options.netns, this.#listener()),
      this.read(group),
    ])
    if (changes.status === 'fulfilled') this.#changes = changes.value
    const failed = [log, changes].find(({ status }) => status === 'rejected')
    if (!failed) return
    await this.end()
    throw (failed as PromiseRejectedResult).reason
  }

  /**
   * Reads this group from now on; undefined: none.
   * @returns whether it was another before, so that what was told to this one meanwhile is lost.
   */
  async read(group: number | undefined): Promise<boolean> {
    if (group === this.#group) return false
    const before = this.#log
    this.#log = group === undefined ? undefined : await this.#shareLog(group)
    this.#group = group
    await before?.end()
    return true
  }

  async #shareLog(group: number): Promise<Share | undefined> {
    const { netns, needsLog } = this.#options
    try {
      const share = await shareLog(netns, group, this.#listener())
      share.hold(this.#isHeld)
      return share
    } catch (error) {
      const isTaken = error instanceof NetlinkError && error.code === 'EBUSY'
      if (!isTaken || needsLog) throw error
      return undefined
    }
  }

  /** Whether they keep this process alive. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    this.#changes?.hold(isHeld)
    this.#log?.hold(isHeld)
  }

  async end(): Promise<void> {
    await Promise.all([this.#changes?.end(), this.#log?.end()])
  }

  #listener(): ReaderListener {
    const { record, lost, restarted, failed } = this.#options
    return {
      record: (found) => ('lost' in found ? lost(found.lost) : record(found)),
      died: () => lost(undefined),
      restarted,
      failed,
    }
  }
}
