// Watchers of this process → shares in one reader for each NFLOG group, and one for each
// namespace's notifications.
import { Reader, type ReaderListener, type ReaderOptions } from './reader.js'
import type { ReaderRecord } from './records.js'

/** A watcher's share in a reader. */
export interface Share {
  /** Sets whether this share keeps the process alive. */
  hold(isHeld: boolean): void
  /** As `Reader.settled`. */
  settled(patience: number): Promise<boolean>
  /** Gives the share back. The last share ends the reader. */
  end(): Promise<void>
}

type SharedReader = Pick<Reader, 'start' | 'hold' | 'settled' | 'end'>
type OpenReader = (options: ReaderOptions, listener: ReaderListener) => SharedReader

interface Shared {
  readonly reader: SharedReader
  readonly started: Promise<void>
  /** Each listener, and whether it keeps this process alive. */
  readonly listeners: Map<ReaderListener, boolean>
}

/** Log messages of other programs by namespace, since this process began. */
const foreign = new Map<string, number>()

/**
 * Returns how many log messages this process has read that no knocklib table wrote; undefined if it
 * has read no group in this namespace.
 */
export const foreignLogPackets = (netns: string): number | undefined => foreign.get(netns)

const shared = new Map<string, Shared>()
/** Readers that are about to end. A group is free only when its process is gone. */
const ending = new Map<string, Promise<void>>()

/**
 * Listens to a NFLOG group. The listener gets the records of all tables.
 * @throws NetlinkError as `Reader.start`.
 */
export const shareLog = (
  netns: string,
  group: number,
  listener: ReaderListener,
  open?: OpenReader,
): Promise<Share> => {
  foreign.set(netns, foreign.get(netns) ?? 0)
  return share(
    {
      module: 'log-reader.js',
      args: [String(group)],
      netns,
      subject: `NFLOG group ${group}`,
    },
    listener,
    open,
  )
}

/**
 * Listens to the notifications of transactions, for all tables of the namespace.
 * @throws NetlinkError as `Reader.start`.
 */
export const shareChanges = (
  netns: string,
  listener: ReaderListener,
  open?: OpenReader,
): Promise<Share> =>
  share(
    { module: 'change-reader.js', args: [], netns, subject: "nftables' notifications" },
    listener,
    open,
  )

/**
 * Shares one reader among all listeners with the same module, arguments and namespace.
 * @param open - makes a reader if there is none yet.
 */
export async function share(
  options: ReaderOptions,
  listener: ReaderListener,
  open: OpenReader = (options, listener) => new Reader(options, listener),
): Promise<Share> {
  const key = [options.netns, options.module, ...options.args].join(' ')
  while (ending.has(key)) await ending.get(key)
  const own = shared.get(key) ?? begin(key, options, open)
  own.listeners.set(listener, true)
  holdAsAsked(own)
  try {
    await own.started
  } catch (error) {
    await leave(key, own, listener)
    throw error
  }
  return {
    hold(isHeld) {
      if (!own.listeners.has(listener)) return
      own.listeners.set(listener, isHeld)
      holdAsAsked(own)
    },
    settled: (patience) => own.reader.settled(patience),
    end: async () => leave(key, own, listener),
  }
}

function begin(key: string, options: ReaderOptions, open: OpenReader): Shared {
  const listeners = new Map<ReaderListener, boolean>()
  const all = (report: (listener: ReaderListener) => void) => {
    for (const listener of [...listeners.keys()]) report(listener)
  }
  const reader = open(options, {
    record(record: ReaderRecord) {
      if ('foreign' in record) {
        foreign.set(options.netns, (foreign.get(options.netns) ?? 0) + record.foreign)
      } else {
        all((listener) => listener.record(record))
      }
    },
    died: () => all((listener) => listener.died()),
    restarted: () => all((listener) => listener.restarted()),
    failed(error) {
      shared.delete(key)
      all((listener) => listener.failed(error))
    },
  })
  const own: Shared = { reader, started: reader.start(), listeners }
  // Each share rejects by itself. This avoids an unhandled rejection of the promise.
  own.started.catch(() => {})
  shared.set(key, own)
  return own
}

const holdAsAsked = ({ reader, listeners }: Shared): void =>
  reader.hold([...listeners.values()].includes(true))

function leave(key: string, own: Shared, listener: ReaderListener): Promise<void> {
  own.listeners.delete(listener)
  if (own.listeners.size > 0) {
    holdAsAsked(own)
    return Promise.resolve()
  }
  if (shared.get(key) === own) shared.delete(key)
  const end = own.reader.end().finally(() => {
    if (ending.get(key) === end) ending.delete(key)
  })
  ending.set(key, end)
  return end
}
