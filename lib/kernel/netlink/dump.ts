// A set → its elements in parts as they arrive, over a socket of its own. Starts over if changes
// interrupt it.
import { setTimeout } from 'node:timers/promises'
import type { NetlinkError } from '../../errors.js'
import { aborted, failure, type Request } from './connection.js'
import { type Answers, parseAnswers } from './element-answers.js'
import { refusal } from './refusal.js'
import { NETFILTER, type NetlinkSocket, type OpenSocket, type SocketListener } from './socket.js'
import { malformed } from './wire.js'

/** Bytes of the longest part of a dump that the kernel sends. */
const PART_BYTES = 32768
/** Tries in all: any transaction in the network namespace interrupts a dump of several parts. */
const MOST_TRIES = 10
/**
 * Tries while elements move. When the kernel resizes a set during a dump, some elements come twice
 * and as many do not come. The kernel does not report that.
 */
const MOST_TRIES_MOVED = 3

/** How elements are read from a message, and told apart. */
export interface Reading<T> {
  parse(payload: Uint8Array): readonly T[]
  keyOf(element: T): string
}

/**
 * Lists a set. An element that exists all the time comes once, however often the dump starts over.
 * The socket is closed at the end of the iteration, also if the caller ends it early.
 *
 * @throws NftError if the kernel refuses; `aborted`.
 * @throws NetlinkError `interrupted` if changes interrupted each try, or the socket's failure.
 */
export async function* listElements<T>(
  open: OpenSocket,
  request: Request,
  reading: Reading<T>,
): AsyncGenerator<readonly T[], void, undefined> {
  const { operation, signal } = request
  if (signal?.aborted) throw aborted(request, false)
  const parts = new Parts(request)
  const options = { operation, protocol: NETFILTER, messageSize: PART_BYTES }
  const socket = await open(options, parts)
  parts.start(socket)
  signal?.addEventListener('abort', parts.abort)
  const seen = new Set<string>()
  try {
    for (let sequence = 1; sequence <= MOST_TRIES; sequence += 1) {
      socket.send(request.render(sequence).bytes)
      const outcome = yield* pass(parts, request, sequence, reading, seen)
      if (outcome === 'whole') return
      // Knocks that add elements to a large set during the listing move others, too. So this must
      // not fail.
      if (outcome === 'moved' && sequence >= MOST_TRIES_MOVED) return
      await setTimeout(2 ** Math.min(sequence, 6))
    }
  } finally {
    signal?.removeEventListener('abort', parts.abort)
    socket.close()
  }
  const reason = `changed by others while it was listed, ${MOST_TRIES} times`
  throw failure('interrupted', request, reason, false)
}

type Outcome = 'whole' | 'moved' | 'interrupted'

/** Takes one dump. Yields the elements whose keys are not in `seen`. */
async function* pass<T>(
  parts: Parts,
  request: Request,
  sequence: number,
  { parse, keyOf }: Reading<T>,
  seen: Set<string>,
): AsyncGenerator<readonly T[], Outcome, undefined> {
  let outcome: Outcome = 'whole'
  // In the first dump `seen` itself shows which elements come twice.
  const own = seen.size === 0 ? seen : new Set<string>()
  const isNew = (keys: Set<string>, key: string): boolean => {
    const { size } = keys
    return keys.add(key).size > size
  }
  const isFresh = (element: T): boolean => {
    const text = keyOf(element)
    const isFirst = isNew(own, text)
    if (!isFirst && outcome === 'whole') outcome = 'moved'
    return isFirst && (own === seen || isNew(seen, text))
  }
  for (;;) {
    const { answers, isInterrupted } = await parts.next()
    if (isInterrupted) outcome = 'interrupted'
    for (const answer of answers) {
      if (answer.kind === 'overrun') throw failure('overrun', request, 'answers were lost', false)
      if (answer.sequence !== sequence) continue
      if (answer.kind === 'elements') {
        const fresh = parse(answer.payload).filter(isFresh)
        if (fresh.length > 0) yield fresh
      } else if (answer.errno !== 0) {
        const error = refusal(request, answer)
        // Some kernels end an interrupted dump with this error.
        if ((error.cause as NetlinkError).code === 'EINTR') return 'interrupted'
        throw error
      } else if (answer.kind === 'done') return outcome
    }
  }
}

/** The datagrams of a socket as an iteration. */
class Parts implements SocketListener {
  readonly #request: Request
  readonly #parts: Uint8Array[] = []
  #socket: NetlinkSocket | undefined
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(request: Request) {
    this.#request = request
  }

  /** Begins to use a socket, which keeps the process alive only while a part is awaited. */
  start(socket: NetlinkSocket): void {
    this.#socket = socket
    socket.unref()
  }

  readonly abort = (): void => this.#fail(aborted(this.#request, false))

  message(bytes: Uint8Array, isCut: boolean): void {
    if (isCut) throw malformed('a message that was cut')
    this.#parts.push(bytes)
    this.#wake?.()
  }

  failed(error: NetlinkError): void {
    this.#fail(failure(error.code, this.#request, error.message, false))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake?.()
  }

  async next(): Promise<Answers> {
    if (this.#parts.length === 0 && !this.#failure) {
      this.#socket?.ref()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#socket?.unref()
    }
    if (this.#failure) throw this.#failure
    return parseAnswers(this.#parts.shift() as Uint8Array)
  }
}
