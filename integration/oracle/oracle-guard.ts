// Strikes and SYNs → banned sources, and SYNs that were seen before. States what holds for all
// doors of a table.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidBan } from '../../lib/spec/model/model.js'
import { flowOf } from './oracle-packets.js'
import type { Story } from './oracle-story.js'

/** Seconds: no pause between a SYN and its repetition is longer. */
export const PAUSE = 40

function isRepeated(seen: Map<string, number>, key: string, at: number, memory: number): boolean {
  const last = seen.get(key)
  seen.set(key, at)
  return last !== undefined && at - last < memory
}

export class Guard {
  readonly #ban: ValidBan | undefined
  readonly #memory: number
  readonly #story: Story
  /**
   * By flow, when its SYN was last seen: to knock ports and elsewhere, and as a connection that
   * counts.
   */
  readonly #seen = new Map<string, number>()
  readonly #counted = new Map<string, number>()
  readonly #strikes = new Map<string, { first: number; count: number }>()
  readonly #bans = new Map<string, number>()
  bans = 0
  /** Packets of banned sources. */
  ignored = 0
  /** SYNs to knock ports that had come before. */
  repeated = 0

  /** `memory`: seconds for which a SYN is remembered. */
  constructor(ban: ValidBan | undefined, memory: number, story: Story) {
    this.#story = story
    this.#ban = ban
    this.#memory = memory
  }

  /** Whether a SYN was seen of late; from now on it was. */
  isAgain(packet: Packet): boolean {
    return isRepeated(this.#seen, flowOf(packet), packet.at, this.#memory)
  }

  /** The same of a SYN that asks for a connection which counts. */
  isCountedAgain(packet: Packet): boolean {
    const key = `${flowOf(packet)} ${packet.destination}`
    return isRepeated(this.#counted, key, packet.at, PAUSE)
  }

  isBanned({ source, at }: Packet): boolean {
    return at < (this.#bans.get(source) ?? 0)
  }

  strike(packet: Packet): void {
    const { source, at } = packet
    if (!this.#ban) return
    const count = this.#strikesOf(source, at) + 1
    if (count >= this.#ban.after) {
      this.#bans.set(source, at + this.#ban.for)
      this.#strikes.delete(source)
      this.bans += 1
      this.#story.banned(packet)
    } else {
      const first = count > 1 ? this.#strikes.get(source)?.first : undefined
      this.#strikes.set(source, { first: first ?? at, count })
    }
  }

  /**
   * A completed knock: what went wrong before is forgotten, and a ban that the packet itself has
   * brought.
   */
  forgive({ source }: Packet): void {
    this.#strikes.delete(source)
    this.#bans.delete(source)
  }

  #strikesOf(source: string, at: number): number {
    const strikes = this.#strikes.get(source)
    return strikes && this.#ban && at - strikes.first < this.#ban.within ? strikes.count : 0
  }

  /** Seconds that each ban still lasts. */
  banned(at: number): Record<string, number> {
    const left = [...this.#bans].map(([source, until]) => [source, until - at] as const)
    return Object.fromEntries(left.filter(([, seconds]) => seconds > 0))
  }

  strikes(at: number): Record<string, number> {
    const counts = [...this.#strikes.keys()].map((source) => [source, this.#strikesOf(source, at)])
    return Object.fromEntries(counts.filter(([, count]) => count !== 0))
  }
}
