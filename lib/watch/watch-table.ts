// An installed table → everything that happens to it, as records in order. Starts reader processes.
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
  readonly signal?: AbortSignal | undefined
  /** The most records that wait for the iteration. */
  readonly queue: number
  /** Whether it is an error that the table has no log, or that another process has its group. */
  readonly needsLog: boolean
  /** Without `needsLog`: packets are not reported now. Tried again. Not called before `ready`. */
  readonly deaf?: (error: Error) => void
  /** Packets are reported again. Not called before `ready`. */
  readonly hears?: () => void
  readonly shares?: ReaderShares | undefined
  /** Default: the system's. */
  readonly clock?: Clock
}

/** Milliseconds until the table is read after a loss, or again after a failure. */
const READ_AFTER = 1000

/** Watches a table from its construction on. An abort ends it without an error. */
export class TableWatcher implements AsyncIterableIterator<TableRecord, undefined> {
  /** Settles when nothing but what `isDeaf` says is missed, or when the watch has ended. */
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
      // The iteration rejects with the same error.
      this.#fail(error)
      throw error
    })
    this.ready.catch(() => {})
  }

  /** Whether the table's group cannot be read now, so that packets are not reported. */
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

  /** Whether all that packets did is reported within `patience` ms; false if no group is read. */
  async settled(patience: number): Promise<boolean> {
    const logged = async () => {
      const isSettled = await this.#readers?.settled(patience)
      // While the table is read, records wait for that.
      if (isSettled) await this.#intake.idle()
      return isSettled ?? false
    }
    return within(patience, logged())
  }

  /** Ends the watch; settles when all processes are released. */
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

  /** Reads what the table says of itself, and its grants. */
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
      // nft was busy or is being replaced: the watch goes on.
      this.#readLater()
    } finally {
      this.#intake.goOn()
    }
  }

  #reportTable(event: TableNews, at = this.#clock.date()): void {
    this.#push({ event: { time: new Date(at).toISOString(), event } })
  }

  /** Only a listing shows what was granted meanwhile. */
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

  /** Handles a table that was installed or removed. */
  #change(event: TableNews, at: number): void {
    this.#reportTable(event, at)
    this.#known.announce()
    this.#readNow()
  }

  #push(record: TableRecord): void {
    this.#queue.push(record)
    if (this.#isPlanned || this.#queue.isAsked) return
    // Later: a consumer that wants more asks for the next record at once.
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
    // After a failure there may be records that were not consumed yet.
    this.#ended ??= this.#giveBack()
    return this.#ended
  }

  async #giveBack(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#callOff?.()
    this.#clocks.end()
    this.#source.end()
    if (!this.#queue.hasFailed) this.#queue.end()
    // Also releases what is still starting.
    await this.ready?.catch(() => {})
    await this.#readers?.end()
    await this.#read().catch(() => {})
  }
}
