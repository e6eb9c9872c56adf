// News of a table that is gone, which come when another stands in its place → what must become of
// that one. Pure.
import type { KnockState } from '../spec/generated/state-types.js'
import type { ClosedEvent, KnockEvent } from './event.js'

/** What is to be closed, and what to be put there. */
interface LateChange {
  readonly closed: readonly ClosedEvent[]
  readonly state: KnockState
}

/**
 * What else is known is in the table since it was made, and may have been used up or taken away by
 * now: of grants and bans only those that the news name are put there. What has been used is, all
 * of it.
 *
 * @param state - what is known, with these news.
 */
export function lateOf(state: KnockState, news: readonly KnockEvent[]): LateChange {
  const granted = new Set<string>()
  const banned = new Set<string>()
  for (const event of news) {
    if (event.event === 'granted') granted.add(keyOf(event))
    if (event.event === 'banned') banned.add(event.source)
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

const keyOf = ({ door, source }: { readonly door: string; readonly source: string }): string =>
  `${door} ${source}`
