// What has been used once → the sets that remember it, the same whatever the spec. Pure.
import { LONGEST_TOKEN } from '../../spec/model/derive.js'
import type { TimedSet } from './automaton.js'
import { spentSequenceSet, spentTokensSet } from './names.js'

/** The most used tokens that a door remembers; full, it accepts no more. */
const MOST_SPENT = 1_048_576

/** The tokens that a door has accepted: for longer than any of them is taken. */
export const spentTokens = (door: string): TimedSet => ({
  name: spentTokensSet(door),
  key: ['token'],
  timeout: LONGEST_TOKEN,
  capacity: MOST_SPENT,
})

/** Whether a one-time sequence has opened the door: for ever, since the set alone knows it. */
export const spentSequence = (door: string, digest: string): TimedSet => ({
  name: spentSequenceSet(door, digest),
  key: ['all'],
  capacity: 1,
})
