// The events of a keeper → every process that connects to its socket, as lines of JSON.
import { renameSync, statSync } from 'node:fs'
import { lstat, rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { KnockEvent } from '../view/event.js'
import { makeFolder } from './place.js'

/** The most clients at a time; more are turned away. */
const MOST_CLIENTS = 64
/** The most bytes that wait for a client. Later events are dropped and counted in an `overrun`. */
const MOST_WAITING = 2 ** 20

/** Relays events. A client that does not read, or that sends something, does not hold up others. */
export class EventSender implements AsyncDisposable {
  readonly #path: string
  readonly #server: Server
  readonly #clients = new Map<Socket, { lost: number }>()
  /** The inode of the socket's file: another keeper may have replaced it. */
  #inode: number | undefined

  private constructor(path: string) {
    this.#path = path
    this.#server = createServer((client) => this.#welcome(client))
    this.#server.maxConnections = MOST_CLIENTS
    // An error must not end the process. A client that cannot connect reads the log itself.
    this.#server.on('error', () => {})
    this.#server.unref()
  }

  /**
   * Opens the socket, and replaces one that a killed process left behind.
   *
   * @returns undefined if another process serves the socket.
   * @throws Error if the path is a file of another kind, or the folder cannot be used.
   */
  static async open(path: string): Promise<EventSender | undefined> {
    await makeFolder(dirname(path))
    if (!(await isFree(path))) return undefined
    const sender = new EventSender(path)
    await sender.#listen()
    return sender
  }

  async #listen(): Promise<void> {
    // Listens under another name first: a rename replaces the old socket atomically.
    const own = `${this.#path}.${process.pid}`
    await rm(own, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ path: own, readableAll: false, writableAll: false }, resolve)
    })
    this.#inode = (await stat(own)).ino
    // Not awaited: nobody can connect and get the first line before the caller of `open` has the
    // sender, and would then miss its events.
    renameSync(own, this.#path)
  }

  /** Whether the path still leads to this socket. */
  get isReached(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode
  }

  send(event: KnockEvent): void {
    if (this.#clients.size === 0) return
    const line = `${JSON.stringify(event)}\n`
    for (const [client, state] of this.#clients) {
      if (client.writableLength + line.length > MOST_WAITING) state.lost += 1
      else if (state.lost === 0) client.write(line)
      else this.#reportLost(client, state, line)
    }
  }

  #reportLost(client: Socket, state: { lost: number }, line = ''): void {
    const gap = { time: new Date().toISOString(), event: 'overrun', lost: state.lost }
    state.lost = 0
    client.write(`${JSON.stringify(gap)}\n${line}`)
  }

  #welcome(client: Socket): void {
    const state = { lost: 0 }
    this.#clients.set(client, state)
    client.unref()
    const leave = () => {
      this.#clients.delete(client)
      client.destroy()
    }
    client.on('error', leave).on('close', leave).on('end', leave)
    client.on('drain', () => {
      if (state.lost > 0) this.#reportLost(client, state)
    })
    // Discards what clients send.
    client.resume()
    client.write('{"ready":true}\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients.keys()) client.destroy()
    this.#clients.clear()
    const found = await stat(this.#path).catch(() => undefined)
    if (found?.ino === this.#inode) await rm(this.#path, { force: true })
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

async function isFree(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) return true
  if (!found.isSocket()) throw new Error(`${path}: expected a socket or nothing; remove it`)
  return !(await isServed(path))
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // Only a refusal proves that nobody listens; a full backlog does not.
    probe.on('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT')
    })
  })
}
