// A spec and packets with their times → what the kernel did with them, in a pair of namespaces.
import { setTimeout as sleep } from 'node:timers/promises'
import { buildAutomaton } from '../../lib/automaton/build.js'
import type { Automaton } from '../../lib/automaton/language/automaton.js'
import { loadsOf } from '../../lib/automaton/loads.js'
import { createNft } from '../../lib/kernel/ssh/create-nft.js'
import type { NftDocument } from '../../lib/nft/document.js'
import { renderLoads } from '../../lib/nft/render/loads.js'
import { renderRuleset } from '../../lib/nft/render/render.js'
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { createPair, exec, listTable, NFT, type Pair } from '../machine/namespaces.js'
import { addSecond, namesSecond } from '../machine/second-cable.js'
import type { DoorState, GuardState } from '../oracle/oracle.js'
import { SECRETS } from '../random/arbitrary-knock.js'
import { type Addressed, portsOf } from '../wire/frames.js'
import { Injector, now } from '../wire/inject.js'
import { contentsOf, listArrivals, watchArrivals } from './kernel-table.js'
import { guardOfContents, stateOfContents } from './state.js'

/** The server's further addresses, each with its prefix length. */
const ADDRESSES = ['10.77.0.3/24', 'fd00:77::3/64']

type Probed = Readonly<Record<string, DoorState>>

export interface Playback {
  /** How often each flow arrived, by `arrivalKey`. */
  readonly arrivals: ReadonlyMap<string, number>
  /** The doors' states at each of the requested times; undefined if the listing came late. */
  readonly states: readonly (Probed | undefined)[]
  readonly guards: readonly (GuardState | undefined)[]
  /** The doors' states and counters at the end. */
  readonly end: Probed
  readonly guard: GuardState
  /** The longest delay of a packet in seconds. */
  readonly lateness: number
}

/**
 * Returns the key of a packet's flow. Echo requests differ by their checksums, which depend on the
 * identifier.
 */
export const arrivalKey = (packet: Addressed): string =>
  [packet.source, ...portsOf(packet)].join(' ')

interface PlaybackSetupOptions {
  /** Whether the server does not answer, so that conntrack calls each packet new. Default: true. */
  readonly silent?: boolean
  /** The nft for making and listing the table. */
  readonly nft?: string
  /** From how many doors on they share sets and rules. */
  readonly shareFrom?: number | undefined
}

/** A server with a spec's ruleset, and a client that sends packets. */
export class PlaybackSetup implements AsyncDisposable {
  readonly spec: ValidSpec
  readonly pair: Pair
  readonly injector: Injector
  readonly #nft: string
  readonly #automaton: Automaton

  private constructor(spec: ValidSpec, automaton: Automaton, pair: Pair, nft: string) {
    this.spec = spec
    this.#automaton = automaton
    this.pair = pair
    this.#nft = nft
    this.injector = new Injector(pair.client)
  }

  static async open(
    spec: ValidSpec,
    { silent = true, nft = NFT, shareFrom }: PlaybackSetupOptions = {},
  ): Promise<PlaybackSetup> {
    const automaton = buildAutomaton(spec, shareFrom)
    const pair = await createPair({ addresses: ADDRESSES })
    try {
      const isForward = spec.hook === 'forward'
      if (namesSecond(spec)) await addSecond(pair)
      if (isForward) await passOn(pair.server)
      await watchArrivals(pair.server, { silent, hook: isForward ? 'forward' : 'input' })
      await createNft({ binary: nft, netns: pair.server }).apply(documentOf(spec, automaton))
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
    return new PlaybackSetup(spec, automaton, pair, nft)
  }

  /** Plays packets from a time of `now()` on, and lists the sets at some times after it. */
  async play(
    packets: readonly Packet[],
    probes: readonly number[],
    { start, margin }: { readonly start: number; readonly margin: number },
  ): Promise<Playback> {
    const look = async () => {
      const looks: (Awaited<ReturnType<PlaybackSetup['look']>> | undefined)[] = []
      for (const at of probes) {
        await sleep(Math.max(0, start + at - now()) * 1000)
        const seen = await this.look()
        looks.push(now() - (start + at) < margin ? seen : undefined)
      }
      return looks
    }
    const [lateness, looks] = await Promise.all([this.injector.play(packets, start), look()])
    const { state: end, guard } = await this.look()
    return {
      lateness,
      states: looks.map((seen) => seen?.state),
      guards: looks.map((seen) => seen?.guard),
      end,
      guard,
      arrivals: await this.arrivals(),
    }
  }

  /** Lists the table. Returns the states of its doors and of its guard. */
  async look(): Promise<{ readonly state: Probed; readonly guard: GuardState }> {
    const listing = await listTable(this.pair.server, this.spec.table, this.#nft)
    if (!listing) throw new Error(`no table ${this.spec.table}`)
    const contents = contentsOf(listing, this.#automaton.doors)
    return {
      state: stateOfContents(this.spec, contents),
      guard: guardOfContents(this.spec, contents),
    }
  }

  async state(): Promise<Probed> {
    return (await this.look()).state
  }

  arrivals(): Promise<Map<string, number>> {
    return listArrivals(this.pair.server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.injector[Symbol.asyncDispose]()
    await this.pair[Symbol.asyncDispose]()
  }
}

/** Returns the document of a table, with its tokens and rotating ports. */
function documentOf(spec: ValidSpec, automaton: Automaton): NftDocument {
  const { nftables } = renderRuleset(automaton)
  const time = Date.now() / 1000
  return { nftables: [...nftables, ...renderLoads(spec.table, loadsOf(spec, SECRETS, time), time)] }
}

/** Moves a server's addresses to hosts behind it that do not exist. */
async function passOn(server: string): Promise<void> {
  const hosts = ['10.77.0.1', '10.77.0.3', 'fd00:77::1', 'fd00:77::3']
  const commands = [
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
    'ip address flush dev eth0',
    'ip address add 10.77.0.254/24 dev eth0',
    'ip address add fd00:77::fe/64 dev eth0 nodad',
    'ip link add behind type veth peer name beyond',
    'ip link set behind addrgenmode none up',
    'ip link set beyond addrgenmode none up',
    ...hosts.flatMap((host) => [
      `ip route add ${host} dev behind`,
      `ip neighbour add ${host} lladdr 02:00:00:00:77:03 dev behind nud permanent`,
    ]),
    'ip route replace 10.99.0.0/16 via 10.77.0.2',
    'ip -6 route replace fd00:99::/64 via fd00:77::2',
  ]
  const { code, stderr } = await exec(server, 'sh', ['-e', '-c', commands.join('\n')])
  if (code !== 0) throw new Error(`${server}: ${stderr.trim()}`)
}
