// What begins a TCP connection, and the rules that let the first of equal SYNs on. Pure.
import type { TcpFlags } from '../../spec/model/model.js'
import { SYN } from '../../spec/model/step.js'
import { type Action, goTo, type Match, meet, type Rule, type Verdict } from './automaton.js'
import type { Logged } from './log-prefix.js'
import { SYNS } from './names.js'

/**
 * Seconds after which a SYN is taken for a new one; each repetition begins them anew. Linux pauses
 * 32 s at the most.
 */
export const RETRANSMISSION = 40

/** A SYN without FIN, RST and ACK. */
export const isSyn: Match = { kind: 'flags', flags: SYN }

/**
 * RFC 9293: SYN without ACK asks for a connection, whatever other flags it has and whatever
 * conntrack calls it.
 */
const ASKS: TcpFlags = { mask: 0x02 | 0x10, value: 0x02 }
export const asks: Match = { kind: 'flags', flags: ASKS }
/** TCP packets that don't. */
export const asksNothing: Match = { kind: 'flags', flags: ASKS, not: true }

/** TCP packets without SYN: they are in the middle of a connection, or say that they are. */
export const isLater: Match = { kind: 'flags', flags: { mask: 0x02, value: 0 } }

/** Of a SYN that comes again. */
export interface Again {
  readonly verdict: Verdict
  readonly then?: readonly Action[]
  readonly logs?: Logged
}

/**
 * A SYN goes on to a chain the first time that it comes: RFC 9293 gives each connection another
 * sequence number, and its retransmissions the same. A SYN that a full memory cannot hold is taken
 * for one that comes again.
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
