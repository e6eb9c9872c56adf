// A table that stands → all that happens to it, as records in order. Reads the kernel through processes of its own.
import type { DoorSummary } from '../automaton/automaton.js'
import { CapabilityError, isNotFound } from '../errors.js'
import type { TableChange } from '../kernel/changes.js'
import type { ReaderRecord, ToldRecord } from '../kernel/records.js'
import type { About } from '../nft/about.js'
import type { TableRecord } from '../view/known-state.js'
import { Clocks } from './clocks.js'
import { oneAtATime } from './one-at-a-time.js'
import { RecordQueue } from './queue.js'
import { TableReaders } from './readers.js'
import {
  calledGrants,
  recordOfCall,
  recordOfTold,
  tableEvent,
  type WatchedTable,
} from './records.js'
import type { TableSource } from './table-source.js'

export interface TableWatchOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined
  /** The most records that wait for whoever asks. */
  readonly queue: number
  /** Whether it is a failure that the table tells nothing, or that another process reads what it tells. */
  readonly needsLog: boolean
}

/** Milliseconds until the table is read after a loss, or again after that failed. */
const READ_AFTER = 1000

/** Begins at once; whoever asks for records gets those from its beginning on. Ends, without an error, at an abort. */
export class TableWatcher implements AsyncIterableIterator<TableRecord, undefined> {
  /** Settles when nothing is missed any more, or the watch has ended before. */
  readonly ready: Promise<void>
  readonly #source: TableSource
  readonly #options: TableWatchOptions
  readonly #queue: RecordQueue
  readonly #clocks: Clocks
  readonly #read = oneAtATime(() => this.#readTable())
  #readers: TableReaders | undefined
  #doors = new Map<string, DoorSummary>()
  #digest: string | undefined
  #stands = true
  /** Whether what the next reading finds has been told. */
  #isAnnounced = false
  /** What was told while the table is read: what it means is known then. */
  #waiting: ToldRecord[] | undefined = []
  #timer: NodeJS.Timeout | undefined
  #isPlanned = false
  #ended: Promise<void> | undefined

  constructor(source: TableSource, options: TableWatchOptions) {
    this.#source = source
    this.#options = options
    this.#queue = new RecordQueue(options.queue, Date.now)
    this.#clocks = new Clocks({
      find: ({ door, source: whom }) => this.#find(door, whom),
      list: () => source.grants([...this.#doors.values()]),
      expired: ({ door, source: whom }) => {
        const time = new Date().toISOString()
        this.#push({ event: { time, event: 'expired', door, source: whom } })
      },
      now: Date.now,
    })
    options.signal?.addEventListener('abort', this.#abort)
    if (options.signal?.aborted) this.#abort()
    this.ready = this.#start().catch((error: unknown) => {
      if (this.#ended) return
      // Who asks for records is told the same.
      this.#fail(error)
      throw error
    })
    this.ready.catch(() => {})
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<TableRecord, undefined>> {
    const next = this.#queue.next()
    if (this.#queue.isAsked) this.#readers?.hold(true)
    return next
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
    this.#takeAbout(about)
    if (this.#ended) return
    const readers = new TableReaders({
      netns,
      needsLog: this.#options.needsLog,
      told: (record) => this.#takeTold(record),
      changed: (record) => this.#takeChange(record),
      lost: (count) => this.#lose(count),
      restarted: () => this.#readNow(),
      failed: this.#fail,
    })
    await readers.start(about.log)
    this.#readers = readers
    if (this.#ended) return
    await this.#read()
    this.#holdAsAsked()
  }

  #takeAbout({ doors, digest, log }: About): void {
    if (log === undefined && this.#options.needsLog) {
      const missing = `what happens in table inet ${this.#source.table}`
      throw new CapabilityError('watch', missing, 'its spec has "log": false, so it tells nothing')
    }
    this.#doors = new Map(doors.map((door) => [door.name, door]))
    this.#digest = digest
  }

  /** Reads what the table says of itself, and who is let in. */
  async #readTable(): Promise<void> {
    const isAnnounced = this.#isAnnounced
    this.#isAnnounced = false
    this.#waiting ??= []
    const [before, stood] = [this.#digest, this.#stands]
    try {
      const about = await this.#source.about()
      this.#takeAbout(about)
      this.#stands = true
      if (await this.#readers?.read(about.log)) this.#queue.lose(undefined)
      this.#clocks.reset(await this.#source.grants(about.doors))
      const isNews = !stood || before !== about.digest
      if (isNews && !isAnnounced && !this.#isAnnounced) this.#tellTable('installed')
    } catch (error) {
      this.#takeFailure(error, isAnnounced)
    } finally {
      const waiting = this.#waiting ?? []
      this.#waiting = undefined
      for (const record of waiting) this.#takeTold(record)
    }
  }

  #takeFailure(error: unknown, isAnnounced: boolean): void {
    if (error instanceof CapabilityError || !this.#readers) throw error
    if (!isNotFound(error)) {
      // nft was busy or is being replaced: the watch goes on meanwhile.
      this.#readLater()
      return
    }
    if (this.#stands && !isAnnounced && !this.#isAnnounced) this.#tellTable('removed')
    this.#stands = false
    this.#clocks.reset([])
  }

  #tellTable(event: 'installed' | 'removed'): void {
    this.#push({ event: { time: new Date().toISOString(), event } })
  }

  async #find(name: string, source: string): Promise<number | undefined> {
    const door = this.#doors.get(name)
    return door && this.#source.find(door, source)
  }

  /** What was granted meanwhile is known from a listing alone. */
  #lose(count: number | undefined): void {
    this.#queue.lose(count)
    this.#readLater()
  }

  #readLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#readNow()
    }, READ_AFTER).unref()
  }

  #readNow(): void {
    this.#read().catch(this.#fail)
  }

  #takeTold(record: ReaderRecord): void {
    if (!('told' in record)) return
    if (this.#waiting) {
      if (this.#waiting.length < this.#options.queue) this.#waiting.push(record)
      else this.#lose(1)
      return
    }
    const found = recordOfTold(record, this.#watched)
    if (!found) return
    const { event } = found
    if (event.event === 'granted') {
      const { door, source, expiresIn } = event
      this.#clocks.set({ door, source, due: record.at + expiresIn * 1000 })
    } else if (event.event === 'closed') {
      this.#clocks.remove(event)
    }
    this.#push(found)
  }

  get #watched(): WatchedTable {
    return {
      table: this.#source.table,
      grantTimeout: (door) => this.#doors.get(door)?.grantTimeout,
      isForEveryone: (door) => this.#doors.get(door)?.scope === 'everyone',
    }
  }

  #takeChange(record: ReaderRecord): void {
    if (!('changed' in record) || record.changed.table !== this.#source.table) return
    const { changed, at } = record
    const event = tableEvent(changed)
    if (!event) {
      this.#takeCalls(changed, at)
      return
    }
    this.#tellTable(event)
    this.#isAnnounced = true
    this.#readNow()
  }

  #takeCalls(changed: TableChange, at: number): void {
    for (const grant of calledGrants(changed)) {
      const { door, source, expiresIn } = grant
      if (expiresIn === null) this.#clocks.remove(grant)
      else if (expiresIn !== undefined) this.#clocks.set({ door, source, due: at + expiresIn })
      this.#push(recordOfCall(grant, at))
    }
    if (changed.more) this.#lose(undefined)
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
    clearTimeout(this.#timer)
    this.#clocks.end()
    if (!this.#queue.hasFailed) this.#queue.end()
    // What is starting is given back, too.
    await this.ready?.catch(() => {})
    await this.#readers?.end()
  }
}
