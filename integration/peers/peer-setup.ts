// A peer at a server, and packets with their times → the packets that passed.
import type { Packet } from '../../lib/simulate/packet.js'
import { createPair, type Pair, SERVER } from '../machine/namespaces.js'
import { listArrivals, watchArrivals } from '../replay/kernel-table.js'
import { arrivalKey } from '../replay/playback.js'
import { Injector, now } from '../wire/inject.js'
import type { Peer } from './peer.js'

interface Passage {
  /** The first packet of each flow that passed. */
  readonly through: readonly Packet[]
  /** The longest delay of a packet in seconds. */
  readonly lateness: number
}

/** A server that a peer guards, and a client that sends packets. */
export class PeerSetup implements AsyncDisposable {
  readonly pair: Pair
  readonly #injector: Injector
  readonly #peer: AsyncDisposable | undefined

  private constructor(pair: Pair, peer: AsyncDisposable | undefined) {
    this.pair = pair
    this.#peer = peer
    this.#injector = new Injector(pair.client)
  }

  /** Sets a peer up. `silent`: the server does not answer, so that each packet is a new one. */
  static async open(peer: Peer, { silent = true } = {}): Promise<PeerSetup> {
    const pair = await createPair()
    try {
      await watchArrivals(pair.server, { silent })
      return new PeerSetup(pair, await peer.install(pair.server))
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Sends packets, sorted by their times, from a time of `now()` on. */
  async playTrace(packets: readonly Packet[], start = now() + 0.1): Promise<Passage> {
    const lateness = await this.#injector.play(packets, start)
    const arrivals = await listArrivals(this.pair.server)
    const flows = new Map<string, Packet>()
    for (const packet of packets) {
      const destination = SERVER[packet.source.includes(':') ? 6 : 4]
      const key = arrivalKey({ destination, ...packet })
      if (!flows.has(key) && arrivals.has(key)) flows.set(key, packet)
    }
    return { through: [...flows.values()], lateness }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#injector[Symbol.asyncDispose]()
    await this.#peer?.[Symbol.asyncDispose]()
    await this.pair[Symbol.asyncDispose]()
  }
}
