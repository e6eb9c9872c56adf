// Strikes and SYNs → banned sources, and SYNs that were seen before. States what holds for all
// doors of a table.
import type { Packet } from '../../lib/simulate/packet.js'
import type { ValidSpec } from '../../lib/spec/model/model.js'
import type { Prefix } from '../../lib/spec/model/packet-model.js'
import type { OracleEvents } from './oracle-events.js'
import { blockAround, covers, flowOf, isSyn } from './oracle-packets.js'

/** The longest pause between a SYN and its repetition, in seconds. */
export const PAUSE = 40

function isRepeated(seen: Map<string, number>, key: string, at: number, memory: number): boolean {
  const last = seen.get(key)
  seen.set(key, at)
  return last !== undefined && at - last < memory
}

export class Guard {
  readonly #ban: ValidSpec['guard']['ban']
  readonly #traps: ValidSpec['guard']['traps']
  readonly #memory: number
  readonly #events: OracleEvents
  readonly #prefix: Prefix | undefined
  /**
   * When each flow's SYN was last seen: in general, and as a connection that counts.
   */
  readonly #seen = new Map<string, number>()
  readonly #counted = new Map<string, number>()
  readonly #strikes = new Map<string, { first: number; count: number }>()
  readonly #bans = new Map<string, number>()
  bans = 0
  /** The number of packets of banned sources. */
  ignored = 0
  /** The number of repeated SYNs to knock ports. */
  repeated = 0

  /** @param memory - seconds for which a SYN is remembered. */
  constructor({ ban, traps, prefix }: ValidSpec['guard'], memory: number, events: OracleEvents) {
    this.#events = events
    this.#ban = ban
    this.#traps = traps
    this.#prefix = prefix
    this.#memory = memory
  }

  /** Whether a SYN is repeated. Remembers it. */
  isAgain(packet: Packet): boolean {
    return isRepeated(this.#seen, flowOf(packet), packet.at, this.#memory)
  }

  /** Whether the SYN of a connection that counts is repeated. Remembers it. */
  isCountedAgain(packet: Packet): boolean {
    const key = `${flowOf(packet)} ${packet.destination}`
    return isRepeated(this.#counted, key, packet.at, PAUSE)
  }

  /** Returns who knocks: the address that sent a packet, or the block around it. */
  knockerOf({ source }: Pick<Packet, 'source'>): string {
    return blockAround(source, this.#prefix)
  }

  isBanned(packet: Packet): boolean {
    return packet.at < (this.#bans.get(this.knockerOf(packet)) ?? 0)
  }

  /**
   * Whether a packet is caught by a trap: it begins something, as a plain SYN or as a datagram that
   * is new. A trap bans its source, unless that is banned already.
   */
  catches(packet: Packet): boolean {
    const { at, state = 'new', protocol } = packet
    const isTrap = this.#traps?.ports.some((port) => covers(port, packet))
    if (!this.#traps || !isTrap || state === 'invalid' || state === 'related') return false
    if (protocol === 'tcp' ? !isSyn(packet) : state !== 'new') return false
    if (this.isBanned(packet)) this.ignored += 1
    else {
      this.#bans.set(this.knockerOf(packet), at + this.#traps.for)
      this.bans += 1
      this.#events.banned(packet, 'trap')
    }
    return true
  }

  strike(packet: Packet): void {
    const { at } = packet
    const source = this.knockerOf(packet)
    if (!this.#ban) return
    const count = this.#strikesOf(source, at) + 1
    if (count >= this.#ban.after) {
      this.#bans.set(source, at + this.#ban.for)
      this.#strikes.delete(source)
      this.bans += 1
      this.#events.banned(packet)
    } else {
      const first = count > 1 ? this.#strikes.get(source)?.first : undefined
      this.#strikes.set(source, { first: first ?? at, count })
    }
  }

  /**
   * Takes a completed knock: forgets the source's strikes, and a ban that the same packet caused.
   */
  forgive(packet: Packet): void {
    const source = this.knockerOf(packet)
    this.#strikes.delete(source)
    this.#bans.delete(source)
  }

  #strikesOf(source: string, at: number): number {
    const strikes = this.#strikes.get(source)
    return strikes && this.#ban && at - strikes.first < this.#ban.within ? strikes.count : 0
  }

  /** Returns the seconds left of each ban. */
  banned(at: number): Record<string, number> {
    const left = [...this.#bans].map(([source, until]) => [source, until - at] as const)
    return Object.fromEntries(left.filter(([, seconds]) => seconds > 0))
  }

  strikes(at: number): Record<string, number> {
    const counts = [...this.#strikes.keys()].map((source) => [source, this.#strikesOf(source, at)])
    return Object.fromEntries(counts.filter(([, count]) => count !== 0))
  }
}
