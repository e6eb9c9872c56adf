// Events of a table that is gone, read after another was made in its place → the changes that the
// new table needs. Pure.
import type { KnockState } from '../spec/generated/state-types.js'
import { type ClosedEvent, holderOf, type KnockEvent, type Sent } from './event.js'

/** The grants to close in the new table, and the state to put into it. */
interface LateChange {
  readonly closed: readonly ClosedEvent[]
  readonly state: KnockState
}

/**
 * Finds what the new table lacks. Everything else that is known is in the table since it was made,
 * and may have been used up or closed since then. So only the grants and bans of these events are
 * put there. Used tokens and sequences are put there completely.
 *
 * @param state - the known state, with these events applied.
 */
export function lateOf(state: KnockState, news: readonly KnockEvent[]): LateChange {
  const granted = new Set<string>()
  const banned = new Set<string>()
  for (const event of news) {
    if (event.event === 'granted') granted.add(keyOf(event))
    if (event.event === 'banned') banned.add(holderOf(event))
  }
  const held = new Set(state.grants.map(keyOf))
  return {
    closed: news.filter(
      (event): event is ClosedEvent => event.event === 'closed' && !held.has(keyOf(event)),
    ),
    state: {
      ...state,
      grants: state.grants.filter((grant) => granted.has(keyOf(grant))),
      bans: state.bans.filter(({ source }) => banned.has(source)),
    },
  }
}

const keyOf = (grant: Sent & { readonly door: string }): string =>
  `${grant.door} ${holderOf(grant)}`
