// A table that stands → all that happens to it, as records in order. Reads the kernel through
// processes of its own.
import { type Clock, isoDate, systemClock } from '../clock/clock.js'
import { CapabilityError, NetlinkError } from '../errors.js'
import type { TableRecord } from '../view/known-state.js'
import { Clocks } from './clocks.js'
import { Intake } from './intake.js'
import { KnownTable, type TableNews } from './known-table.js'
import { RecordQueue } from './queue.js'
import { type ReaderShares, TableReaders } from './readers.js'
import type { TableSource } from './table-source.js'
import { oneAtATime, within } from './waits.js'

interface TableWatchOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined
  /** The most records that wait for whoever asks. */
  readonly queue: number
  /** Whether a table that logs nothing, or whose group another process reads, is a failure. */
  readonly needsLog: boolean
  /** If not: nothing that packets do is reported now. Tried again. Not before `ready`. */
  readonly deaf?: (error: Error) => void
  /** What packets do is reported again; not called before `ready`. */
  readonly hears?: () => void
  readonly shares?: ReaderShares | undefined
  /** Default: the system's. */
  readonly clock?: Clock
}

/** Milliseconds until the table is read after a loss, or again after that failed. */
const READ_AFTER = 1000

/**
 * Begins at once; whoever asks for records gets those from its beginning on. Ends, without an
 * error, at an abort.
 */
export class TableWatcher implements AsyncIterableIterator<TableRecord, undefined> {
  /** Settles when nothing is missed but what `isDeaf` says, or the watch has ended before. */
  readonly ready: Promise<void>
  readonly #source: TableSource
  readonly #options: TableWatchOptions
  readonly #clock: Clock
  readonly #queue: RecordQueue
  readonly #clocks: Clocks
  readonly #intake: Intake
  readonly #known: KnownTable
  readonly #read = oneAtATime(() => this.#readTable())
  #readers: TableReaders | undefined
  /** Undefined: no reading is to be done later. */
  #callOff: (() => void) | undefined
  #isPlanned = false
  #isReady = false
  #deaf: Error | undefined
  #ended: Promise<void> | undefined

  constructor(source: TableSource, options: TableWatchOptions) {
    this.#source = source
    this.#options = options
    const { clock = systemClock } = options
    this.#clock = clock
    this.#queue = new RecordQueue(options.queue, () => clock.date())
    this.#known = new KnownTable(source.table, options.needsLog)
    this.#clocks = new Clocks({
      find: async ({ door: name, source: whom }) => {
        const door = this.#known.door(name)
        return door && source.find(door, whom)
      },
      list: () => source.grants(this.#known.doors),
      expired: ({ door, source: whom }) => {
        const time = isoDate(clock)
        this.#push({ event: { time, event: 'expired', door, source: whom } })
      },
      clock,
    })
    this.#intake = new Intake({
      known: this.#known,
      clock,
      clocks: this.#clocks,
      most: options.queue,
      push: (record) => this.#push(record),
      lose: (count) => this.#lose(count),
      change: (event, at) => this.#change(event, at),
    })
    options.signal?.addEventListener('abort', this.#abort)
    if (options.signal?.aborted) this.#abort()
    this.ready = this.#start().catch((error: unknown) => {
      if (this.#ended) return
      // The iteration rejects with the same.
      this.#fail(error)
      throw error
    })
    this.ready.catch(() => {})
  }

  /** Whether the group of the table cannot be read now: what packets do is not reported. */
  get isDeaf(): boolean {
    return this.#deaf !== undefined
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<TableRecord, undefined>> {
    const next = this.#queue.next()
    if (this.#queue.isAsked) this.#readers?.hold(true)
    return next
  }

  /**
   * Whether all that packets did by now has been reported, within so many milliseconds; false when
   * their group is not read, or not yet.
   */
  async settled(patience: number): Promise<boolean> {
    const logged = async () => {
      const isSettled = await this.#readers?.settled(patience)
      // While the table is read, what comes waits for that.
      if (isSettled) await this.#intake.idle()
      return isSettled ?? false
    }
    return within(patience, logged())
  }

  /** Ends the watch; settles when all is given back. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#finish()
    return { done: true, value: undefined }
  }

  async #start(): Promise<void> {
    if (this.#ended) return
    const about = await this.#source.about()
    const { netns } = this.#source
    if (netns === undefined) {
      const provider = 'an Nft that names its network namespace, as those of createNft do'
      throw new CapabilityError('watch', "the kernel's events", provider)
    }
    this.#known.take(about)
    if (this.#ended) return
    const { needsLog, deaf, hears, shares } = this.#options
    const readers = new TableReaders({
      ...{ netns, needsLog, shares },
      record: (record) => this.#intake.take(record),
      lost: (count) => this.#lose(count),
      restarted: () => this.#readNow(),
      deaf: (error) => {
        this.#deaf = error
        if (this.#isReady) deaf?.(error)
      },
      hears: () => {
        this.#deaf = undefined
        if (this.#isReady) hears?.()
      },
      failed: this.#fail,
    })
    await readers.start(about.log)
    this.#readers = readers
    if (this.#ended) return
    await this.#read()
    this.#isReady = true
    if (this.#deaf) deaf?.(this.#deaf)
    this.#holdAsAsked()
  }

  /** Reads what the table says of itself, and who is let in. */
  async #readTable(): Promise<void> {
    if (this.#ended) return
    this.#intake.wait()
    try {
      const news = await this.#known.follow(async () => {
        const about = await this.#source.about()
        this.#known.take(about)
        if (await this.#readers?.read(about.log)) this.#queue.lose(undefined)
        this.#clocks.correct(await this.#source.grants(about.doors))
      })
      if (!this.#known.stands) this.#clocks.clear()
      if (news) this.#reportTable(news)
    } catch (error) {
      const isTaken = error instanceof NetlinkError && error.code === 'EBUSY'
      if (isTaken || error instanceof CapabilityError) throw error
      // nft was busy or is being replaced: the watch goes on meanwhile.
      this.#readLater()
    } finally {
      this.#intake.goOn()
    }
  }

  #reportTable(event: TableNews, at = this.#clock.date()): void {
    this.#push({ event: { time: new Date(at).toISOString(), event } })
  }

  /** What was granted meanwhile is known from a listing alone. */
  #lose(count: number | undefined): void {
    this.#queue.lose(count)
    this.#readLater()
  }

  #readLater(): void {
    if (this.#ended) return
    this.#callOff ??= this.#clock.after(READ_AFTER, () => {
      this.#callOff = undefined
      this.#readNow()
    })
  }

  #readNow(): void {
    this.#read().catch(this.#fail)
  }

  /** It is another table from now on, or none. */
  #change(event: TableNews, at: number): void {
    this.#reportTable(event, at)
    this.#known.announce()
    this.#readNow()
  }

  #push(record: TableRecord): void {
    this.#queue.push(record)
    if (this.#isPlanned || this.#queue.isAsked) return
    // Whoever has got the last record asks for the next one at once, or has had enough.
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      this.#holdAsAsked()
    })
  }

  #holdAsAsked(): void {
    this.#readers?.hold(this.#queue.isAsked)
  }

  readonly #abort = (): void => {
    this.#finish().catch(() => {})
  }

  readonly #fail = (error: unknown): void => {
    this.#queue.fail(error)
    this.#abort()
  }

  #finish(): Promise<void> {
    // After a failure there may be records that nobody has asked for yet.
    this.#ended ??= this.#giveBack()
    return this.#ended
  }

  async #giveBack(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#callOff?.()
    this.#clocks.end()
    this.#source.end()
    if (!this.#queue.hasFailed) this.#queue.end()
    // What is starting is given back, too.
    await this.ready?.catch(() => {})
    await this.#readers?.end()
    await this.#read().catch(() => {})
  }
}
