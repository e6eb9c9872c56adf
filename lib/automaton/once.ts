// The rules that let the first SYN of a connection on, and none of its retransmissions. Pure.
import { SYN } from '../spec/step.js'
import { add, goTo, inSet, type Match, type Rule, update, type Verdict } from './automaton.js'
import { SEEN } from './names.js'

export const isSyn: Match = { kind: 'flags', flags: SYN }

/** A SYN goes on to a chain the first time it is seen; what a full memory cannot hold is not let on. */
export function onceEach(chain: string, otherwise: Verdict): [Rule, Rule, Rule] {
  return [
    {
      when: [isSyn, inSet(SEEN)],
      then: [update(SEEN)],
      verdict: otherwise,
      comment: 'retransmitted SYN',
    },
    {
      when: [isSyn],
      then: [add(SEEN)],
      verdict: goTo(chain),
      comment: 'first SYN of its connection',
    },
    { when: [isSyn], verdict: otherwise, comment: 'no room to remember the SYN' },
  ]
}
