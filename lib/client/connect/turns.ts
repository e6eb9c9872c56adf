// A folder and a name → the right to knock, which one process has at a time. Listens at sockets,
// and writes files.
//
// Each process that wants a turn listens at a socket of its own, `ID`. Whoever is next writes
// `LAST.next`, which has its ID: a link that only one can make. So turns form a chain, from
// `NAME.next` on, and the last one of the chain has the turn for as long as its socket listens. The
// kernel closes the socket of a process that dies: no process number is looked at, which another
// process might have by then, and nothing that a dead process left has to be removed first.
import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { pause } from '../carry-out.js'

/** The right to knock, until its end. */
export interface Turn {
  end(): void
}

/** Milliseconds until a socket that was too busy is asked again. */
const BUSY = 50

interface TakeOptions {
  /** Milliseconds for which one and the same process is waited for; it may have been stopped. */
  readonly patience: number
  readonly signal?: AbortSignal | undefined
  /** Called when another process has the turn. */
  readonly onWait?: (() => void) | undefined
}

/**
 * Takes the turn, or waits until the one that has it ends its own.
 *
 * @returns undefined if another one had it and has ended: what it did may be enough.
 * @throws the signal's reason.
 */
export async function takeTurn(
  folder: string,
  name: string,
  options: TakeOptions,
): Promise<Turn | undefined> {
  const { last } = await walk(folder, name)
  const became = last !== name && (await waitFor(join(folder, last), options))
  if (became === 'ended') return undefined
  // It has waited long enough, and knocks beside the other one.
  if (became === 'stuck') return { end() {} }
  const place = await Place.open(folder, name)
  const isMine = await place.take(last).catch((error) => {
    place.end()
    throw error
  })
  if (isMine) return place
  place.end()
  return takeTurn(folder, name, options)
}

/** One process in the chain. */
class Place implements Turn {
  readonly #folder: string
  readonly #name: string
  readonly #id = randomBytes(8).toString('hex')
  readonly #waiting = new Set<Socket>()
  readonly #server: Server

  private constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
    this.#server = createServer((socket) => {
      this.#waiting.add(socket)
      socket.on('error', () => {}).on('close', () => this.#waiting.delete(socket))
      socket.unref()
    })
  }

  static async open(folder: string, name: string): Promise<Place> {
    const place = new Place(folder, name)
    await new Promise<void>((resolve, reject) => {
      place.#server.once('error', reject)
      place.#server.listen(socketOf(place.#path), resolve)
    })
    place.#server.unref()
    return place
  }

  get #path(): string {
    return join(this.#folder, this.#id)
  }

  /**
   * Takes the place behind the last one, which has ended.
   *
   * @returns false if another process was there first.
   */
  async take(last: string): Promise<boolean> {
    const own = `${this.#path}.id`
    const next = join(this.#folder, `${last}.next`)
    await writeFile(own, this.#id, { mode: 0o600, flag: 'wx' })
    try {
      await link(own, next)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      await rm(own, { force: true })
    }
    const { before, last: found } = await walk(this.#folder, this.#name)
    if (found !== this.#id) {
      // The chain was cut before this place: the last one that was seen is not part of it.
      await rm(next, { force: true })
      return false
    }
    await this.#cut(before)
    return true
  }

  /** Lets the chain begin here, and removes what stood before. */
  async #cut(before: readonly string[]): Promise<void> {
    if (before.length === 0) return
    const first = `${this.#path}.first`
    await writeFile(first, this.#id, { mode: 0o600, flag: 'wx' })
    await rename(first, join(this.#folder, `${this.#name}.next`))
    for (const id of before) {
      const path = join(this.#folder, id)
      for (const left of [path, `${path}.id`, `${path}.next`]) await rm(left, { force: true })
    }
  }

  /** Those who wait see their connections closed. */
  end(): void {
    this.#server.close()
    for (const socket of this.#waiting) socket.destroy()
  }
}

/** Follows the chain: the last one of it, or the name itself, and those before. */
async function walk(
  folder: string,
  name: string,
): Promise<{ before: readonly string[]; last: string }> {
  const chain = [name]
  while (true) {
    const last = chain.at(-1) as string
    const next = await readFile(join(folder, `${last}.next`), 'utf8').catch((error) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (next === undefined || !/^[0-9a-f]{16}$/.test(next)) {
      return { before: chain.slice(1, -1), last }
    }
    chain.push(next)
  }
}

/**
 * Waits until the process that listens at a socket ends its turn.
 *
 * @returns false if nobody listens there.
 */
async function waitFor(path: string, options: TakeOptions): Promise<'ended' | 'stuck' | false> {
  const { patience, signal } = options
  const end = performance.now() + patience
  while (true) {
    signal?.throwIfAborted()
    const answer = await listenTo(path, { ...options, patience: end - performance.now() })
    if (answer !== 'busy') return answer
    if (performance.now() >= end) return 'stuck'
    await pause(BUSY, signal)
  }
}

/** What says that nobody listens: the process has ended, or has ended its turn. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'])
/** What says that it has ended just now. */
const ENDED = new Set(['ECONNRESET', 'EPIPE'])

function listenTo(
  path: string,
  { patience, signal, onWait }: TakeOptions,
): Promise<'ended' | 'stuck' | 'busy' | false> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketOf(path))
    let isThere = false
    let code: string | undefined
    const timer = setTimeout(() => settle(() => resolve('stuck')), Math.max(0, patience))
    const abort = () => settle(() => reject(signal?.reason))
    const settle = (report: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.destroy()
      report()
    }
    signal?.addEventListener('abort', abort)
    socket.on('connect', () => {
      isThere = true
      onWait?.()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code
    })
    // Its end may come as a reset.
    socket.on('close', () => {
      settle(() => resolve(isThere ? 'ended' : meaningOf(code)))
    })
    socket.resume()
  })
}

function meaningOf(code = ''): 'ended' | 'busy' | false {
  if (ENDED.has(code)) return 'ended'
  return NOBODY.has(code) ? false : 'busy'
}

/** Windows has pipes by name in place of sockets, and ends them with their process, too. */
const socketOf = (path: string): string =>
  process.platform === 'win32' ? `\\\\.\\pipe\\${path.replace(/[^A-Za-z0-9]/g, '-')}` : path
