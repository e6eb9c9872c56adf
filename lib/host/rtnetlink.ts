// Some addresses → this network namespace's interfaces, and its routes to the addresses. Asks
// rtnetlink.
//
// /sys/class/net would show the namespace where /sys was mounted, which may be another one.
import { NetlinkError } from '../errors.js'
import { FLAG, MESSAGE } from '../kernel/netlink/numbers.js'
import { openSocket } from '../kernel/netlink/socket.js'
import { type NetlinkMessage, parseMessages } from '../kernel/netlink/wire.js'
import type { Interface, Route } from './host.js'
import {
  askAddresses,
  askLinks,
  askRoute,
  indexOf,
  parseInterfaces,
  parseRoute,
} from './link-messages.js'

/** NETLINK_ROUTE. */
const ROUTE_PROTOCOL = 0
/** Tries of a dump that changes interrupt. The last answer is used even if it was interrupted. */
const TRIES = 5

interface Network {
  readonly interfaces: readonly Interface[]
  readonly routes: ReadonlyMap<string, Route>
}

/**
 * Lists all interfaces, and asks for the routes to some addresses.
 *
 * @throws NetlinkError if no socket can be opened.
 */
export async function askNetwork(
  operation: string,
  addresses: readonly string[],
): Promise<Network> {
  const socket = await Asker.open(operation)
  try {
    const links = await socket.dump(askLinks)
    const interfaces = parseInterfaces(links, await socket.dump(askAddresses))
    const names = new Map(links.map((link, place) => [indexOf(link), interfaces[place]?.name]))
    const routes = new Map<string, Route>()
    for (const address of addresses) {
      const answer = await socket.ask((sequence) => askRoute(address, sequence))
      routes.set(
        address,
        parseRoute(answer, (index) => names.get(index)),
      )
    }
    return { interfaces, routes }
  } finally {
    socket.close()
  }
}

/** Sends one question at a time and waits for its answer. */
class Asker {
  #send: (bytes: Uint8Array) => void = () => {}
  close: () => void = () => {}
  #sequence = 0
  #answers: NetlinkMessage[] = []
  #settle:
    | { resolve: (answers: NetlinkMessage[]) => void; reject: (error: Error) => void }
    | undefined

  static async open(operation: string): Promise<Asker> {
    const asker = new Asker()
    const socket = await openSocket(
      { operation, protocol: ROUTE_PROTOCOL },
      {
        message: (bytes, isCut) => asker.#take(bytes, isCut),
        failed: (error) => asker.#settle?.reject(error),
      },
    )
    asker.#send = (bytes) => socket.send(bytes)
    asker.close = () => socket.close()
    return asker
  }

  async ask(render: (sequence: number) => Uint8Array): Promise<NetlinkMessage> {
    const [answer] = await this.#question(render)
    return answer as NetlinkMessage
  }

  async dump(render: (sequence: number) => Uint8Array): Promise<NetlinkMessage[]> {
    for (let left = TRIES - 1; ; left -= 1) {
      const answers = await this.#question(render)
      const isWhole = answers.every(({ flags }) => (flags & FLAG.interrupted) === 0)
      if (isWhole || left === 0) return answers.filter(({ type }) => type !== MESSAGE.done)
    }
  }

  #question(render: (sequence: number) => Uint8Array): Promise<NetlinkMessage[]> {
    this.#sequence += 1
    this.#answers = []
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#send(render(this.#sequence))
    })
  }

  #take(bytes: Uint8Array, isCut: boolean): void {
    if (isCut)
      throw new NetlinkError('malformed', 'look', 'rtnetlink: an answer was longer than the buffer')
    const own = parseMessages(bytes).filter(({ sequence }) => sequence === this.#sequence)
    this.#answers.push(...own)
    const isPart = this.#answers.length > 0 && own.every(({ type, flags }) => isMulti(type, flags))
    if (own.length > 0 && !isPart) this.#settle?.resolve(this.#answers)
  }
}

/** NLM_F_MULTI: more parts follow. */
const isMulti = (type: number, flags: number): boolean =>
  type !== MESSAGE.done && type !== MESSAGE.error && (flags & 2) !== 0
