// Whole datagrams ↔ a netlink socket. The only importer of the package netlink, loaded with the
// first socket.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { CapabilityError, NetlinkError, type NetlinkErrorCode } from '../../errors.js'

/** NETLINK_NETFILTER: nftables' ruleset, its notifications, and NFLOG. */
export const NETFILTER = 12

interface SocketOptions {
  /** Who asks, for error messages. */
  readonly operation: string
  readonly protocol: number
  /**
   * Bytes that a datagram may have; a longer one is cut. Each costs as much memory until it is
   * collected.
   */
  readonly messageSize?: number
  /** SO_RCVBUF and SO_SNDBUF in bytes, at most rmem_max and wmem_max. Default: the system's. */
  readonly receiveBuffer?: number
  readonly sendBuffer?: number
}

/** Called by a socket. Neither is called after `close`. */
export interface SocketListener {
  /** One datagram. Of a longer one than the socket takes the beginning alone, with `isCut`. */
  message(bytes: Uint8Array, isCut: boolean): void
  /**
   * The kernel had something for a buffer that was full, and the socket goes on. Without it, that
   * is a failure.
   */
  overrun?(): void
  /** The socket is of no use any more and closed: reading or sending failed, or `message` threw. */
  failed(error: NetlinkError): void
}

export interface NetlinkSocket {
  /** This end's address: what the kernel answers has it. */
  readonly port: number
  /**
   * What the kernel holds for this end at most, in its own measure, which counts each datagram's
   * overhead.
   */
  readonly receiveBuffer: number
  /** Sends to the kernel. The bytes must stay as they are until something has come back. */
  send(bytes: Uint8Array): void
  /** @throws NetlinkError `socket` if this process may not listen to that group. */
  join(group: number): void
  /** An open socket keeps the process alive; one that is unreferenced does not. */
  ref(): void
  unref(): void
  /** May be called at any time, and again. What is under way is dropped, without a word. */
  close(): void
}

// Its other modules, which the package's main one loads as well, take four times as long.
type Package = typeof import('netlink/dist/raw.js')
type RawSocket = InstanceType<Package['RawNetlinkSocket']>

let loading: Promise<Package> | undefined

/** What is said, and by whose cause it is known, if the package is not installed. */
const ABSENT = ['netlink', 'the optional package netlink', 'npm install netlink'] as const

const require = createRequire(import.meta.url)

/**
 * Whether the package is not installed. Node says the same when it can open no file; to look for a
 * folder needs no descriptor.
 */
function isAbsent(error: unknown): boolean {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return false
  const folders = require.resolve.paths('netlink') ?? []
  return !folders.some((folder) => existsSync(join(folder, 'netlink')))
}

/**
 * Opens a socket. It keeps the process alive until it is unreferenced or closed.
 *
 * Its reader must not fall behind: the package ends the whole process, beyond any handler, where
 * the kernel finds the receive buffer full while the process waits for events. Who asks keeps few
 * answers outstanding; who listens to what others cause does so in a child process.
 *
 * @throws NetlinkError `socket` if the package cannot be loaded here or the kernel grants no
 * such socket.
 */
export async function openSocket(
  options: SocketOptions,
  listener: SocketListener,
): Promise<NetlinkSocket> {
  const { operation, protocol, messageSize = 65536 } = options
  try {
    loading ??= import('netlink/dist/raw.js')
    const { RawNetlinkSocket } = await loading
    const socket = new RawNetlinkSocket(protocol, {
      // Peeking walks a dump's sets once more for each chunk.
      messagePeeking: false,
      msgBufferSize: messageSize,
      recvBufferSize: options.receiveBuffer ?? 0,
      sendBufferSize: options.sendBuffer ?? 0,
    })
    return new SafeSocket(socket, operation, listener)
  } catch (error) {
    throw failure('socket', operation, isAbsent(error) ? new CapabilityError(...ABSENT) : error)
  }
}

export type OpenSocket = typeof openSocket

class SafeSocket implements NetlinkSocket {
  readonly port: number
  readonly receiveBuffer: number
  readonly #socket: RawSocket
  readonly #operation: string
  readonly #listener: SocketListener
  #isOpen = true

  constructor(socket: RawSocket, operation: string, listener: SocketListener) {
    this.#socket = socket
    this.#operation = operation
    this.#listener = listener
    // An exception that reaches the package, or an error without a listener, would end the process.
    socket.on('error', (error) => {
      if (listener.overrun && codeOf(error) === 'overrun') listener.overrun()
      else this.#fail(error)
    })
    socket.on('message', (bytes) => this.#receive(bytes, false))
    socket.on('truncatedMessage', (bytes) => this.#receive(bytes, true))
    this.port = socket.address().port
    this.receiveBuffer = socket.getRecvBufferSize()
  }

  send(bytes: Uint8Array): void {
    if (!this.#isOpen) return
    try {
      this.#socket.send(bytes, undefined, (error) => {
        if (error) this.#fail(error)
      })
    } catch (error) {
      this.#fail(error)
    }
  }

  join(group: number): void {
    try {
      this.#socket.addMembership(group)
    } catch (error) {
      throw failure('socket', this.#operation, error)
    }
  }

  ref(): void {
    if (this.#isOpen) this.#socket.ref()
  }

  unref(): void {
    if (this.#isOpen) this.#socket.unref()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    // Not now: this may run within one of the package's own callbacks, after which it still uses
    // what close frees.
    setImmediate(() => {
      try {
        this.#socket.close()
      } catch {
        // It has closed itself.
      }
    })
  }

  #receive(bytes: Uint8Array, isCut: boolean): void {
    if (!this.#isOpen) return
    try {
      this.#listener.message(bytes, isCut)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (!this.#isOpen) return
    this.close()
    try {
      this.#listener.failed(
        error instanceof NetlinkError
          ? error
          : failure(codeOf(error) ?? 'socket', this.#operation, error),
      )
    } catch {
      // Nobody listens any more.
    }
  }
}

/** The kernel's ENOBUFS: it had something for a buffer that was full. */
function codeOf(error: unknown): NetlinkErrorCode | undefined {
  const { code } = error as { code?: unknown }
  if (code === 'ENOBUFS') return 'overrun'
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? (code as `E${string}`) : undefined
}

function failure(code: NetlinkErrorCode, operation: string, cause: unknown): NetlinkError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new NetlinkError(code, operation, `${operation}: netlink socket: ${reason}`, { cause })
}
