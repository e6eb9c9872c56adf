// Packets with their times → whether they are within the rate of a rule. Pure.
import type { Match } from '../automaton/language/automaton.js'

/** The state of a rate limit: how many packets it would let pass at a time. */
interface Bucket {
  readonly packets: number
  readonly since: number
}

export class Rates {
  readonly #buckets = new WeakMap<Match, Bucket>()

  /**
   * Judges by the kernel's token bucket (nft_limit.c): full at first, refilled at `rate` per
   * second, and never holding more than `burst` packets.
   */
  isWithin(match: Extract<Match, { kind: 'within-rate' }>, at: number): boolean {
    const { rate, burst } = match
    const { packets, since } = this.#buckets.get(match) ?? { packets: burst, since: at }
    const now = Math.min(burst, packets + (at - since) * rate)
    const isWithin = now >= 1
    this.#buckets.set(match, { packets: isWithin ? now - 1 : now, since: at })
    return isWithin
  }
}
