// A spec and packets with their times → what a kernel made of them, in a pair of namespaces of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { buildAutomaton } from '../lib/automaton/build.js'
import type { Packet } from '../lib/automaton/simulate.js'
import { renderRuleset } from '../lib/nft/render.js'
import type { ValidSpec } from '../lib/spec/model.js'
import { type Addressed, portsOf } from './frames.js'
import { Injector, now } from './inject.js'
import { contentsOf, listArrivals, watchArrivals } from './kernel-table.js'
import { apply, createPair, listTable, type Pair } from './namespaces.js'
import type { DoorState } from './oracle.js'
import { stateOfContents } from './state.js'

/** The server's further addresses, each with its prefix length. */
const ADDRESSES = ['10.77.0.3/24', 'fd00:77::3/64']

export type Probed = Readonly<Record<string, DoorState>>

export interface Playback {
  /** How often each flow got through, by `arrivalKey`. */
  readonly arrivals: ReadonlyMap<string, number>
  /** Who was where, at each of the times asked for; undefined where the listing came late. */
  readonly states: readonly (Probed | undefined)[]
  /** Who was where when all was over, whenever that was; and what was counted. */
  readonly end: Probed
  /** By how many seconds the latest packet was late. */
  readonly lateness: number
}

/** What flows are told apart by; an echo request is told by its checksum, which holds its identifier. */
export const arrivalKey = (packet: Addressed): string =>
  [packet.source, ...portsOf(packet)].join(' ')

/** A server with a spec's ruleset, and a client that sends. */
export class Theatre implements AsyncDisposable {
  readonly spec: ValidSpec
  readonly pair: Pair
  readonly injector: Injector

  private constructor(spec: ValidSpec, pair: Pair) {
    this.spec = spec
    this.pair = pair
    this.injector = new Injector(pair.client)
  }

  static async open(spec: ValidSpec, { silent = true } = {}): Promise<Theatre> {
    const pair = await createPair({ addresses: ADDRESSES })
    try {
      await watchArrivals(pair.server, { silent })
      await apply(pair.server, renderRuleset(buildAutomaton(spec)))
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
    return new Theatre(spec, pair)
  }

  /** Plays packets from a moment of `now()` on, and looks at the sets at some times after it. */
  async play(
    packets: readonly Packet[],
    probes: readonly number[],
    { start, margin }: { readonly start: number; readonly margin: number },
  ): Promise<Playback> {
    const look = async (): Promise<(Probed | undefined)[]> => {
      const states: (Probed | undefined)[] = []
      for (const at of probes) {
        await sleep(Math.max(0, start + at - now()) * 1000)
        const state = await this.state()
        states.push(now() - (start + at) < margin ? state : undefined)
      }
      return states
    }
    const [lateness, states] = await Promise.all([this.injector.play(packets, start), look()])
    return { lateness, states, end: await this.state(), arrivals: await this.arrivals() }
  }

  async state(): Promise<Probed> {
    const listing = await listTable(this.pair.server, this.spec.table)
    if (!listing) throw new Error(`no table ${this.spec.table}`)
    return stateOfContents(this.spec, contentsOf(listing))
  }

  arrivals(): Promise<Map<string, number>> {
    return listArrivals(this.pair.server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.injector[Symbol.asyncDispose]()
    await this.pair[Symbol.asyncDispose]()
  }
}
