// The matches for what begins a TCP connection, and the rules that recognise retransmitted SYNs.
// Pure.
import type { TcpFlags } from '../../spec/model/packet-model.js'
import { SYN } from '../../spec/model/step.js'
import { type Action, goTo, type Match, meet, type Rule, type Verdict } from './automaton.js'
import type { Logged } from './log-prefix.js'
import { SYNS } from './names.js'

/**
 * Seconds for which a SYN is remembered; each retransmission restarts them. Linux pauses 32 s at
 * most.
 */
export const RETRANSMISSION = 40

/** A SYN without FIN, RST and ACK. */
export const isSyn: Match = { kind: 'flags', flags: SYN }

/**
 * RFC 9293: SYN without ACK begins a connection, whatever other flags it has and whatever conntrack
 * calls it.
 */
const ASKS: TcpFlags = { mask: 0x02 | 0x10, value: 0x02 }
export const asks: Match = { kind: 'flags', flags: ASKS }
/** All other TCP packets. */
export const asksNothing: Match = { kind: 'flags', flags: ASKS, not: true }

/** TCP packets without SYN: they belong to a connection, or claim to. */
export const isLater: Match = { kind: 'flags', flags: { mask: 0x02, value: 0 } }

/** What to do with a retransmitted SYN. */
export interface Again {
  readonly verdict: Verdict
  readonly then?: readonly Action[]
  readonly logs?: Logged
}

/**
 * Makes the rules that send a SYN to a chain the first time it comes. RFC 9293 gives each
 * connection another sequence number, and its retransmissions the same one. If the set is full, the
 * SYN is treated as retransmitted.
 */
export function onceEach(chain: string, again: Again): [Rule, Rule] {
  return [
    {
      when: [isSyn],
      then: [meet(SYNS)],
      verdict: goTo(chain),
      comment: 'first SYN of its connection',
    },
    { when: [isSyn], ...again, comment: 'the same SYN again, or no room to remember it' },
  ]
}
