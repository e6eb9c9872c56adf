// Whole datagrams ↔ a netlink socket. The only importer of the package netlink, loaded with the
// first socket.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { CapabilityError, NetlinkError, type NetlinkErrorCode } from '../../errors.js'

/** NETLINK_NETFILTER: nftables' ruleset, its notifications, and NFLOG. */
export const NETFILTER = 12

interface SocketOptions {
  /** The name of the call, for error messages. */
  readonly operation: string
  readonly protocol: number
  /**
   * The most bytes of a datagram; a longer one is cut. Each datagram takes this much memory until
   * it is garbage-collected.
   */
  readonly messageSize?: number
  /** SO_RCVBUF and SO_SNDBUF in bytes, limited by rmem_max and wmem_max. Default: the system's. */
  readonly receiveBuffer?: number
  readonly sendBuffer?: number
}

/** Called by a socket. Neither is called after `close`. */
export interface SocketListener {
  /** Takes one datagram. `isCut`: it was longer than `messageSize`, and this is its beginning. */
  message(bytes: Uint8Array, isCut: boolean): void
  /**
   * The receive buffer was full and the kernel dropped messages; the socket goes on. Without this
   * method the socket fails.
   */
  overrun?(): void
  /** The socket was closed because reading or sending failed, or `message` threw. */
  failed(error: NetlinkError): void
}

export interface NetlinkSocket {
  /** This end's netlink address, which the kernel's answers have. */
  readonly port: number
  /**
   * The most bytes that the kernel holds for this end. The kernel counts each datagram's overhead,
   * too.
   */
  readonly receiveBuffer: number
  /** Sends to the kernel. The caller must not change the bytes before an answer has come. */
  send(bytes: Uint8Array): void
  /** Listens to a group. @throws NetlinkError `socket` if this process may not. */
  join(group: number): void
  /** An open socket keeps the process alive until `unref`. */
  ref(): void
  unref(): void
  /** Closes the socket; may be called again. What is under way is dropped silently. */
  close(): void
}

// Only this module: the package's main one also loads the others and takes four times as long.
type Package = typeof import('netlink/dist/raw.js')
type RawSocket = InstanceType<Package['RawNetlinkSocket']>

let loading: Promise<Package> | undefined

function loadPackage(): Promise<Package> {
  loading ??= import('netlink/dist/raw.js')
  return loading
}

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
 * The reader must not fall behind: if the receive buffer is full while the process waits for
 * events, the package ends the whole process, and no handler can prevent it. So a requester keeps
 * few answers outstanding. A listener to events of others runs in a child process.
 *
 * @throws NetlinkError `socket` if the package cannot be loaded or the kernel refuses the socket.
 */
export async function openSocket(
  options: SocketOptions,
  listener: SocketListener,
  load = loadPackage,
): Promise<NetlinkSocket> {
  const { operation, protocol, messageSize = 65536 } = options
  try {
    const { RawNetlinkSocket } = await load()
    const socket = new RawNetlinkSocket(protocol, {
      // Peeking would make the kernel walk a dump's sets twice for each chunk.
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
    // An exception in the package, or an error without a listener, would end the process.
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
    // Not now: this may run within a callback of the package, which afterwards still uses what
    // `close` frees.
    setImmediate(() => {
      try {
        this.#socket.close()
      } catch {
        // The package has already closed it.
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

/** ENOBUFS is how the kernel says that the receive buffer was full. */
function codeOf(error: unknown): NetlinkErrorCode | undefined {
  const { code } = error as { code?: unknown }
  if (code === 'ENOBUFS') return 'overrun'
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? (code as `E${string}`) : undefined
}

function failure(code: NetlinkErrorCode, operation: string, cause: unknown): NetlinkError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new NetlinkError(code, operation, `${operation}: netlink socket: ${reason}`, { cause })
}
