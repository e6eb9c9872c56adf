// Requests on one netlink socket → their answers. Touches the kernel only through the socket.
import { NetlinkError, NftError } from '../../errors.js'
import { type Answer, type KernelError, parseAnswers, parseCut } from './element-answers.js'
import type { RenderedRequest } from './element-messages.js'
import type { NetlinkSocket, SocketListener } from './socket.js'

export interface Request {
  readonly operation: string
  /** The object of the request, for messages. */
  readonly subject: string
  /** Whether it changes something. Without an answer, the error says that this is not known. */
  readonly isChange: boolean
  readonly signal?: AbortSignal | undefined
  render(sequence: number): RenderedRequest
}

/** An errno (0: success), perhaps with the kernel's words; or elements, for `parseElements`. */
export type Reply = Omit<KernelError, 'sequence'> & { readonly payload?: Uint8Array }

interface Pending {
  readonly request: Request
  readonly rendered: RenderedRequest
  /** The first refusal of one of its messages. */
  refusal?: Reply
  settle(result: Reply | Error): void
}

/**
 * The most bytes of requests under way. The kernel sends a refused message back whole, so even if
 * all are refused, they must fit the receive buffer with the kernel's overhead. If they do not, the
 * package ends the process.
 */
const MOST_BYTES = 128 * 1024
export const RECEIVE_BUFFER = 4 * MOST_BYTES
const MOST_REQUESTS = 64
/** Bytes that are read of an answer. A refusal begins with its errno; the rest may be cut. */
export const ANSWER_BYTES = 8192

export class Connection implements SocketListener {
  #socket: NetlinkSocket | undefined
  /** Bytes that the answers to requests under way may need, and those that they need now. */
  #room = 0
  #taken = 0
  #sequence = 1
  readonly #waiting: Pending[] = []
  /** In the order in which they were sent. Answers come in the same order. */
  readonly #sent: Pending[] = []
  readonly #aborts = new Aborts((pending) => this.#abort(pending))

  /**
   * Begins to use a socket, whose listener this connection must be. The socket keeps the process
   * alive only while a request is under way.
   */
  start(socket: NetlinkSocket): void {
    this.#socket = socket
    // The kernel counts the memory of a datagram, which is up to twice its length.
    this.#room = Math.min(MOST_BYTES, Math.floor(socket.receiveBuffer / 3))
    socket.unref()
  }

  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /**
   * Resolves with the kernel's answer, also if that is a refusal.
   *
   * @throws NftError `aborted`
   * @throws NetlinkError if the socket fails first; `EMSGSIZE` if the request is too long for it.
   */
  ask(request: Request): Promise<Reply> {
    if (!this.isOpen) return Promise.reject(failure('socket', request, 'closed', false))
    const rendered = request.render(this.#sequence)
    if (rendered.answerBytes > this.#room)
      return Promise.reject(failure('EMSGSIZE', request, 'too long', false))
    this.#sequence = (rendered.last + 2) >>> 0
    return new Promise((resolve, reject) => {
      const settle = (result: Reply | Error) => {
        this.#aborts.delete(pending)
        if (result instanceof Error) reject(result)
        else resolve(result)
      }
      const pending: Pending = { request, rendered, settle }
      this.#aborts.add(pending)
      if (this.#sent.length === 0) this.#socket?.ref()
      this.#waiting.push(pending)
      this.#sendWaiting()
    })
  }

  /** Closes the socket. Requests under way reject with this code and reason. */
  end(code: NetlinkError['code'], reason: string): void {
    this.#socket?.close()
    this.#socket = undefined
    for (const { request, settle } of this.#sent.splice(0)) {
      settle(failure(code, request, reason, request.isChange))
    }
    for (const { request, settle } of this.#waiting.splice(0)) {
      settle(failure(code, request, reason, false))
    }
  }

  message(bytes: Uint8Array, isCut: boolean): void {
    const answers = isCut
      ? [{ kind: 'ack' as const, ...parseCut(bytes) }]
      : parseAnswers(bytes).answers
    for (const answer of answers) this.#take(answer)
    this.#sendWaiting()
    if (this.#sent.length === 0) this.#socket?.unref()
  }

  failed({ code, message }: NetlinkError): void {
    this.end(code, message)
  }

  #sendWaiting(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const cost = next.rendered.answerBytes
      const isFree = this.#sent.length < MOST_REQUESTS && this.#taken + cost <= this.#room
      if (!this.#socket || !isFree) return
      this.#waiting.shift()
      this.#sent.push(next)
      this.#taken += cost
      this.#socket.send(next.rendered.bytes)
    }
  }

  #take(answer: Answer): void {
    if (answer.kind === 'overrun') {
      this.end('overrun', 'answers were lost')
      return
    }
    const pending = this.#sent.find(({ rendered }) => has(rendered, answer.sequence))
    // Nobody waits for it if it follows the refusal of a whole batch.
    if (!pending || answer.kind === 'done') return
    const { first, last } = pending.rendered
    const { sequence } = answer
    if (answer.kind === 'elements') this.#finish(pending, { errno: 0, payload: answer.payload })
    else {
      if (answer.errno !== 0) pending.refusal ??= answer
      // The kernel refuses a whole batch by an error about its first message. Otherwise the answer
      // to the last message ends it.
      if (sequence === last || (sequence === first && answer.errno !== 0))
        this.#finish(pending, pending.refusal ?? answer)
    }
  }

  #finish(pending: Pending, reply: Reply): void {
    this.#sent.splice(this.#sent.indexOf(pending), 1)
    this.#taken -= pending.rendered.answerBytes
    pending.settle(reply)
  }

  /** Rejects a request. One that was sent stays in the list, so that its answer is recognised. */
  #abort(pending: Pending): void {
    const index = this.#waiting.indexOf(pending)
    if (index >= 0) this.#waiting.splice(index, 1)
    pending.settle(aborted(pending.request, index < 0))
  }
}

/**
 * Listens only once to each signal, for all its requests: Node warns of many listeners on one
 * EventTarget.
 */
class Aborts {
  readonly #abort: (pending: Pending) => void
  readonly #bySignal = new Map<AbortSignal, Set<Pending>>()

  constructor(abort: (pending: Pending) => void) {
    this.#abort = abort
  }

  add(pending: Pending): void {
    const { signal } = pending.request
    if (!signal) return
    const all = this.#bySignal.get(signal)
    if (all) {
      all.add(pending)
      return
    }
    this.#bySignal.set(signal, new Set([pending]))
    signal.addEventListener('abort', this.#end)
  }

  delete(pending: Pending): void {
    const { signal } = pending.request
    const all = signal && this.#bySignal.get(signal)
    all?.delete(pending)
    if (all?.size !== 0) return
    this.#bySignal.delete(signal as AbortSignal)
    signal?.removeEventListener('abort', this.#end)
  }

  readonly #end = ({ target }: Event): void => {
    for (const pending of this.#bySignal.get(target as AbortSignal) ?? []) this.#abort(pending)
  }
}

/** Whether a sequence number belongs to a request. The numbers wrap at 2^32. */
const has = ({ first, last }: RenderedRequest, sequence: number): boolean =>
  (sequence - first) >>> 0 <= (last - first) >>> 0

export function aborted({ operation, subject, isChange }: Request, isSent: boolean): NftError {
  const open = isSent && isChange ? '; whether the change was made is not known' : ''
  return new NftError('aborted', `${operation}: ${subject}: aborted${open}`)
}

export function failure(
  code: NetlinkError['code'],
  { operation, subject }: Request,
  reason: string,
  isUnknown: boolean,
): NetlinkError {
  const open = isUnknown ? '; whether the change was made is not known' : ''
  return new NetlinkError(code, operation, `${operation}: ${subject}: ${reason}${open}`)
}
