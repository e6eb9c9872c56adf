// A spec → a pair of namespaces with its table, and packets from any source to its doors.
import {
  createNft,
  type InstallOptions,
  installKnock,
  type Knock,
  type KnockSpec,
  type Nft,
} from '../../lib/index.js'
import { createPair, type Pair, type PairOptions } from '../machine/namespaces.js'
import { Injector } from '../wire/inject.js'

/** The service's port. */
export const PORT = 2222
/** The steps that open the door of `specAt`. */
export const STEPS = ['udp/7000', 'tcp/7001', 'icmp']

/** Returns a spec of one door at a hook. */
export const specAt = (
  hook: string,
  interfaces: readonly string[],
  open: object = {},
  parts: object = {},
) => ({
  hook,
  ...(interfaces.length > 0 && { interfaces }),
  doors: [
    {
      name: 'service',
      service: `tcp/${PORT}`,
      knock: { type: 'sequence', steps: STEPS, stepTimeout: '20s' },
      open: { for: '60s', ...open },
      ...parts,
    },
  ],
})

/** Returns the address of a source behind the client, by its number. */
export const host = (number: number, family: 4 | 6 = 4): string =>
  family === 4 ? `10.99.1.${number}` : `fd00:99::1:${number.toString(16)}`

/** A pair of namespaces. The server has the table of a spec; packets come from any source. */
export class PacketSetup implements AsyncDisposable {
  readonly pair: Pair
  readonly nft: Nft
  readonly injector: Injector
  #knock: Knock
  #sourcePort = 2000

  private constructor(pair: Pair, nft: Nft, knock: Knock) {
    this.pair = pair
    this.nft = nft
    this.#knock = knock
    this.injector = new Injector(pair.client)
  }

  static async open(
    spec: object,
    binary: string,
    options: PairOptions & Pick<InstallOptions, 'state'> = {},
  ): Promise<PacketSetup> {
    const pair = await createPair(options)
    try {
      const nft = createNft({ binary, netns: pair.server })
      const { state } = options
      return new PacketSetup(pair, nft, await installKnock(spec as KnockSpec, { nft, state }))
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  get knock(): Knock {
    return this.#knock
  }

  async install(spec: object, options: InstallOptions = {}): Promise<void> {
    this.#knock = await installKnock(spec as KnockSpec, { nft: this.nft, ...options })
  }

  /**
   * Sends one packet for each step, such as `tcp/7000`, `udp/7000` or `icmp`. Each TCP packet has a
   * new source port.
   */
  async send(source: string, ...steps: readonly string[]): Promise<void> {
    await this.sendTo(undefined, source, ...steps)
  }

  /** As `send`, to a given destination; undefined: the server's first address. */
  async sendTo(
    destination: string | undefined,
    source: string,
    ...steps: readonly string[]
  ): Promise<void> {
    for (const step of steps) {
      const [protocol, port] = step.split('/') as ['tcp' | 'udp' | 'icmp', string | undefined]
      this.#sourcePort += 1
      const place = {
        sourcePort: this.#sourcePort,
        ...(port && { port: Number(port) }),
        ...(destination && { destination }),
      }
      this.injector.send({ at: 0, source, protocol, ...place })
    }
    await this.injector.flush()
  }

  /** Returns the sources that a door lets in, sorted. */
  async granted(door = 'service'): Promise<string[]> {
    const grants = await this.#knock.door(door).grants()
    return grants.map(({ source }) => source).sort()
  }

  async counters(door = 'service') {
    const counters = (await this.#knock.counters())[door]
    if (!counters) throw new Error(`no door ${door}`)
    return counters
  }

  /** Returns the banned sources, and the counters of bans. */
  async bans() {
    const { bans, counters } = await this.#knock.status()
    return { sources: bans.map(({ source }) => source).sort(), ...counters }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.injector[Symbol.asyncDispose]()
    await this.pair[Symbol.asyncDispose]()
  }
}
