// Changes and queries of elements → the kernel through netlink, as nft would send them, without a
// process for each call.
import { isNotFound } from '../../errors.js'
import type { ElementDocument, ElementKey, NftValue } from '../../nft/document.js'
import type { ListedElement } from '../../nft/listing.js'
import { debugged, outlineOf } from '../debug.js'
import type { ElementForm, Elements, SetQuery } from '../elements.js'
import type { CallOptions } from '../nft.js'
import {
  ANSWER_BYTES,
  aborted,
  Connection,
  failure,
  RECEIVE_BUFFER,
  type Reply,
  type Request,
} from './connection.js'
import { listElements, type Reading } from './dump.js'
import { parseElements } from './element-answers.js'
import {
  type RenderedRequest,
  renderBatch,
  renderDump,
  renderGet,
  renderGetSet,
} from './element-messages.js'
import { isReadable, type NftElement, parseNftElements } from './nft-elements.js'
import { familyOf, refusal, subjectOf } from './refusal.js'
import { NETFILTER, type OpenSocket, openSocket } from './socket.js'

/**
 * Uses one socket for all calls. The first call opens it, and so does the first after a failure. It
 * keeps the process alive only while a call is under way. A listing has a socket of its own.
 */
export class NetlinkElements implements Elements {
  readonly #open: OpenSocket
  #connecting: Promise<Connection> | undefined
  #connection: Connection | undefined
  #isClosed = false

  constructor(open: OpenSocket = openSocket) {
    this.#open = open
  }

  async change(document: ElementDocument, options: CallOptions = {}): Promise<void> {
    const [command] = document.nftables
    if (!command) return
    const { element } = 'add' in command ? command.add : command.delete
    const request = this.#request(options, `table inet ${element.table}`, true, (sequence) =>
      renderBatch(document, sequence),
    )
    const reply = await debugged(
      () => `netlink ${outlineOf(document)}`,
      () => this.#ask(request),
      ({ errno }) => (errno === 0 ? 'done' : `errno ${errno}`),
    )
    if (reply.errno !== 0) throw refusal(request, reply)
  }

  async find(
    query: SetQuery,
    keys: readonly ElementKey[],
    options: CallOptions = {},
  ): Promise<readonly ListedElement[]> {
    const found = await Promise.all(keys.map((key) => this.#findOne(query, key, options)))
    // The kernel gives the same error for a missing element and for a missing set.
    if (found.includes(undefined)) await this.require(query, options)
    return found.filter((element) => element !== undefined)
  }

  async #findOne(
    query: SetQuery,
    key: ElementKey,
    options: CallOptions,
  ): Promise<ListedElement | undefined> {
    const request = this.#request(options, subjectOf(query), false, (sequence) =>
      renderGet(query, key, sequence),
    )
    const reply = await this.#ask(request)
    if (reply.payload) return parseElements(reply.payload, familyOf(query))[0]
    const error = refusal(request, reply)
    if (isNotFound(error)) return undefined
    throw error
  }

  list(query: SetQuery, options: CallOptions = {}): AsyncIterable<readonly ListedElement[]> {
    const request = this.#request(options, subjectOf(query), false, (sequence) =>
      renderDump(query, sequence),
    )
    const family = familyOf(query)
    return listElements(this.#open, request, {
      parse: (payload) => parseElements(payload, family),
      keyOf: ({ key }) => (key.length === 1 ? (key[0] as string) : key.join(' ')),
    })
  }

  async listed(
    query: SetQuery,
    form: ElementForm,
    options: CallOptions = {},
  ): Promise<readonly NftValue[] | undefined> {
    if (!isReadable(form)) return undefined
    const request = this.#request(options, subjectOf(query), false, (sequence) =>
      renderDump(query, sequence),
    )
    const reading: Reading<NftElement> = {
      parse: (payload) => parseNftElements(payload, form),
      keyOf: ({ key }) => key,
    }
    const found: NftValue[] = []
    for await (const part of listElements(this.#open, request, reading)) {
      for (const { element } of part) found.push(element)
    }
    return found
  }

  async require(query: SetQuery, options: CallOptions = {}): Promise<void> {
    const request = this.#request(options, subjectOf(query), false, (sequence) =>
      renderGetSet(query, sequence),
    )
    const reply = await this.#ask(request)
    if (reply.errno !== 0) throw refusal(request, reply)
  }

  async streams(): Promise<boolean> {
    return true
  }

  /** Opens the socket if it is not open. @throws NetlinkError `socket` */
  async connect(operation: string): Promise<void> {
    await this.#connected(operation)
  }

  /** Closes for good: calls under way and all later ones reject with NetlinkError `socket`. */
  close(): void {
    this.#isClosed = true
    this.#connection?.end('socket', 'closed')
  }

  #request(
    { operation = 'netlink', signal }: CallOptions,
    subject: string,
    isChange: boolean,
    render: (sequence: number) => RenderedRequest,
  ): Request {
    return { operation, subject, isChange, signal, render }
  }

  async #ask(request: Request): Promise<Reply> {
    if (request.signal?.aborted) throw aborted(request, false)
    if (this.#isClosed) throw failure('socket', request, 'closed', false)
    const connection = this.#connection?.isOpen
      ? this.#connection
      : await this.#connected(request.operation)
    // The signal may have been aborted while the socket was opened.
    if (request.signal?.aborted) throw aborted(request, false)
    return connection.ask(request)
  }

  async #connected(operation: string): Promise<Connection> {
    if (this.#connection?.isOpen) return this.#connection
    this.#connecting ??= this.#connect(operation)
    this.#connection = await this.#connecting
    return this.#connection
  }

  async #connect(operation: string): Promise<Connection> {
    try {
      const connection = new Connection()
      const options = {
        operation,
        protocol: NETFILTER,
        messageSize: ANSWER_BYTES,
        receiveBuffer: RECEIVE_BUFFER,
      }
      connection.start(await this.#open(options, connection))
      if (this.#isClosed) connection.end('socket', 'closed')
      return connection
    } finally {
      this.#connecting = undefined
    }
  }
}
