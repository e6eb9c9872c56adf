// A table's NFLOG group and namespace → records of its log and of nftables' notifications. Starts
// or shares reader processes.
import { NetlinkError } from '../errors.js'
import type { ReaderListener } from '../kernel/readers/reader.js'
import type { ReaderRecord } from '../kernel/readers/records.js'
import { type Share, shareChanges, shareLog } from '../kernel/readers/shared-reader.js'

/** Gives shares in readers: processes, or what a test has instead. */
export interface ReaderShares {
  readonly log: typeof shareLog
  readonly changes: typeof shareChanges
}

const PROCESSES: ReaderShares = { log: shareLog, changes: shareChanges }

interface ReadersOptions {
  readonly netns: string
  /** Default: processes. */
  readonly shares?: ReaderShares | undefined
  /**
   * Whether a group that cannot be read is an error, for example because another process has it.
   */
  readonly needsLog: boolean
  /** Milliseconds until it is tried again if that is no error. */
  readonly retry?: number
  /** Takes what packets and transactions did. */
  record(record: ReaderRecord): void
  /** So many records are missing; undefined: an unknown number. */
  lost(count: number | undefined): void
  /** Records come again after some were lost. */
  restarted(): void
  /** The group cannot be read, so packets are no longer reported. Called once until `hears`. */
  deaf(error: Error): void
  /** The group is read again. */
  hears(): void
  failed(error: Error): void
}

const RETRY = 5000

export class TableReaders {
  readonly #options: ReadersOptions
  readonly #shares: ReaderShares
  #changes: Share | undefined
  #log: Share | undefined
  #group: number | undefined
  #isHeld = true
  #isDeaf = false
  #hasEnded = false
  #timer: NodeJS.Timeout | undefined
  /** Changes of the group one after the other, and the end last. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: ReadersOptions) {
    this.#options = options
    this.#shares = options.shares ?? PROCESSES
  }

  /**
   * Starts both readers.
   *
   * @throws NetlinkError as `Reader.start`; then neither is left running.
   */
  async start(group: number | undefined): Promise<void> {
    // Both at once, in half the time.
    const [changes, log] = await Promise.allSettled([
      this.#shares.changes(this.#options.netns, this.#listener(this.#options.failed)),
      this.read(group),
    ])
    if (changes.status === 'fulfilled') this.#changes = changes.value
    const failed = [log, changes].find(({ status }) => status === 'rejected')
    if (!failed) {
      if (this.#isDeaf) this.#options.lost(undefined)
      return
    }
    await this.end()
    throw (failed as PromiseRejectedResult).reason
  }

  /**
   * Reads this group from now on; undefined: none.
   *
   * @returns whether the group changed, so that what was logged meanwhile is lost.
   */
  read(group: number | undefined): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#hasEnded || group === this.#group) return false
      const before = this.#log
      this.#log = group === undefined ? undefined : await this.#shareLog(group)
      this.#group = group
      await before?.end()
      if (group === undefined) this.#hear()
      return true
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #shareLog(group: number): Promise<Share | undefined> {
    const { netns, needsLog, failed } = this.#options
    const lose = (error: Error) => {
      if (group === this.#group) this.#log = undefined
      this.#deafen(error)
    }
    try {
      const share = await this.#shares.log(netns, group, this.#listener(needsLog ? failed : lose))
      share.hold(this.#isHeld)
      this.#hear()
      return share
    } catch (error) {
      if (!(error instanceof NetlinkError) || needsLog) throw error
      this.#deafen(error)
      return undefined
    }
  }

  /** Nothing announces that a group is free, so it is tried again and again. */
  #deafen(error: Error): void {
    if (this.#hasEnded) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#again, this.#options.retry ?? RETRY).unref()
    if (this.#isDeaf) return
    this.#isDeaf = true
    this.#options.deaf(error)
  }

  readonly #again = (): void => {
    const { restarted, failed } = this.#options
    this.#inTurn(async () => {
      const group = this.#group
      if (this.#hasEnded || this.#log || group === undefined) return
      this.#log = await this.#shareLog(group)
      if (this.#log && !this.#hasEnded) restarted()
    }).catch(failed)
  }

  #hear(): void {
    clearTimeout(this.#timer)
    if (!this.#isDeaf || this.#hasEnded) return
    this.#isDeaf = false
    this.#options.hears()
  }

  /**
   * Whether everything that packets have done was given to `record`, within `patience`
   * milliseconds; false if no group is read. Records that were lost are in `lost`.
   */
  settled(patience: number): Promise<boolean> {
    return this.#log?.settled(patience) ?? Promise.resolve(false)
  }

  /** Whether the readers keep this process alive. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    this.#changes?.hold(isHeld)
    this.#log?.hold(isHeld)
  }

  /** Settles when both are released, also one that is still starting. */
  end(): Promise<void> {
    this.#hasEnded = true
    clearTimeout(this.#timer)
    return this.#inTurn(async () => {
      await Promise.all([this.#changes?.end(), this.#log?.end()])
    })
  }

  #listener(failed: (error: Error) => void): ReaderListener {
    const { record, lost, restarted } = this.#options
    return {
      record: (found) => ('lost' in found ? lost(found.lost) : record(found)),
      died: () => lost(undefined),
      restarted,
      failed,
    }
  }
}
