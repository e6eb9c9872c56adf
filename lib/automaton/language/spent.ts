// The sets that remember used tokens and one-time sequences, the same for every spec. Pure.
import { LONGEST_TOKEN } from '../../spec/derive/derivation.js'
import type { Carrier } from '../../spec/model/model.js'
import type { TimedSet } from './automaton.js'
import { spentSequenceSet, spentTokensSet } from './names.js'

/** The most used tokens that a door remembers. If the set is full, no further token is accepted. */
const MOST_SPENT = 1_048_576

/**
 * The used tokens of a door. They are remembered for longer than any token is valid.
 *
 * @param carrier - where the rules read a token. The kernel's set is the same for each.
 */
export const spentTokens = (door: string, carrier: Carrier = 'udp'): TimedSet => ({
  name: spentTokensSet(door),
  key: [`${carrier}-token`],
  timeout: LONGEST_TOKEN,
  capacity: MOST_SPENT,
})

/** Remembers a used one-time sequence for ever, since nothing else does. */
export const spentSequence = (door: string, digest: string): TimedSet => ({
  name: spentSequenceSet(door, digest),
  key: ['all'],
  capacity: 1,
})
