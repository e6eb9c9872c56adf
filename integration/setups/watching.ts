// A watcher → its events: collected, waited for, and compared without their times.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Knock, KnockEvent, KnockSpec, Watcher, WatchOptions } from '../../lib/index.js'
import type { Family } from '../../lib/spec/model/packet-model.js'
import { build, compiled } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { type Program, startProgram } from '../machine/programs.js'
import { PORT, type ServiceSetup } from './service-setup.js'

/** Prepares the machine for tests of watchers. Returns why they are skipped, or false. */
export async function prepareWatching(): Promise<string | false> {
  const { skip: lacks } = await versionsOrSkip()
  const skip = lacks || missing('knock', 'nc', 'hping3', 'openssl')
  if (!skip) {
    sweep()
    build()
  }
  return skip
}

/** Returns a spec of one door before the service, with a knock that closes it. */
export const specOf = (parts: object = {}, open: object = { for: '60s' }): KnockSpec =>
  ({
    ...parts,
    doors: [
      {
        name: 'service',
        service: `tcp/${PORT}`,
        knock: { type: 'sequence', steps: ['udp/7000', 'tcp/7001'], stepTimeout: '20s' },
        close: { type: 'sequence', steps: ['udp/9000'], stepTimeout: '20s' },
        open,
      },
    ],
  }) as KnockSpec

/** Knocks with Debian's client `knock`. */
export const knockAt = (setup: ServiceSetup, family: Family, ...steps: string[]) =>
  setup.run('knock', `-${family}`, '-d', '30', SERVER[family], ...steps)

/** The steps that open the door of `specOf`. */
export const OPEN = ['7000:udp', '7001']

/** An event in short form: its kind and its fields without times. */
type Short = string

/** Writes an event in short form: `granted service 10.77.0.2 by=knock stage=2 of=2`. */
function shortOf(event: KnockEvent): Short {
  const { time: _, event: kind, ...rest } = event
  const words = Object.entries(rest).map(([key, value]) =>
    key === 'door' || key === 'source' ? String(value) : `${key}=${value}`,
  )
  return [kind, ...words].join(' ')
}

export class Watching implements AsyncDisposable {
  readonly events: KnockEvent[] = []
  /** When each event arrived, in milliseconds since 1970. */
  readonly times: number[] = []
  readonly watcher: Watcher
  /** How the iteration ended; undefined while it continues. */
  outcome: { readonly error?: unknown } | undefined
  readonly #done: Promise<void>

  private constructor(watcher: Watcher) {
    this.watcher = watcher
    this.#done = this.#collect()
  }

  /** Begins to watch. Resolves when the watcher misses nothing any more. */
  static async begin(knock: Knock, options: WatchOptions = {}): Promise<Watching> {
    const watching = new Watching(knock.watch(options))
    await watching.watcher.ready
    return watching
  }

  async #collect(): Promise<void> {
    try {
      for await (const event of this.watcher) {
        this.events.push(event)
        this.times.push(Date.now())
      }
      this.outcome = {}
    } catch (error) {
      this.outcome = { error }
    }
  }

  get shorts(): Short[] {
    return this.events.map(shortOf)
  }

  /** Removes and returns the events so far, in short form. */
  take(): Short[] {
    this.times.splice(0)
    return this.events.splice(0).map(shortOf)
  }

  /** Waits until an event contains `part` in short form. Returns false if none comes in time. */
  async until(part: string, milliseconds = 5000): Promise<boolean> {
    return this.wait(() => this.shorts.some((short) => short.includes(part)), milliseconds)
  }

  async wait(isSo: () => boolean, milliseconds = 5000): Promise<boolean> {
    for (const end = Date.now() + milliseconds; Date.now() < end; ) {
      if (isSo()) return true
      await sleep(10)
    }
    return isSo()
  }

  /** Waits until the iteration ends, and returns how it ended. */
  async over(): Promise<{ readonly error?: unknown }> {
    await this.#done
    return this.outcome ?? {}
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watcher.return()
    await this.#done
  }
}

/** Returns the netlink port of the reader of each NFLOG group of a namespace. */
export async function groupsIn(namespace: string): Promise<Map<number, number>> {
  const { stdout } = await exec(namespace, 'cat', ['/proc/self/net/netfilter/nfnetlink_log'])
  const rows = stdout.split('\n').filter((line) => line.trim() !== '')
  return new Map(
    rows.map((row) => {
      const [group, port] = row.trim().split(/\s+/).map(Number)
      return [group as number, port as number]
    }),
  )
}

/** Returns a process's number: the package netlink puts it into the port's lower 22 bits. */
export const processOf = (port: number): number => port & 0x3fffff

const KERNEL = JSON.stringify(compiled('kernel/'))

/** A program that takes the table's NFLOG group as soon as it is free, and keeps it. */
const HOLDER = `
  const { openSocket, NETFILTER } = await import(${KERNEL} + 'netlink/socket.js')
  const { renderBind, parseAnswer, ANSWER } = await import(${KERNEL} + 'nflog/nflog.js')
  const { parseMessages } = await import(${KERNEL} + 'netlink/wire.js')
  let isHeld = false
  const message = (bytes) => {
    for (const { type, payload } of parseMessages(bytes)) {
      if (type === ANSWER && parseAnswer(payload) === 0) isHeld = true
    }
  }
  const what = { operation: 'hold', protocol: NETFILTER }
  const failed = (error) => { throw error }
  const socket = await openSocket(what, { message, failed })
  setInterval(() => isHeld || socket.send(renderBind(5, 128, 1)), 5)
  process.stdin.on('end', () => process.exit()).resume()
  console.log('ready')`

/** Starts a process that takes NFLOG group 5 of a namespace when it is free. */
export const holdGroup = (namespace: string): Promise<Program> =>
  startProgram(namespace, ['--input-type=module', '-e', HOLDER])
