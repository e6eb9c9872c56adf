// A set that says until when the sets of tokens and ports are loaded ahead, so that they need not
// be listed to know it. Pure.
import type { Automaton } from '../automaton/language/automaton.js'
import { parseSetName } from '../automaton/language/names.js'
import { hexDigest } from '../spec/model/digest.js'
import type { NftCommand, NftSet, NftValue } from './document.js'
import type { Listing } from './listing.js'

/**
 * The set has one element for each set that is loaded ahead. The element expires with the last one
 * of that set.
 */
export const LOADED_SET = 'loaded'

/**
 * A set of tokens or of a rotation's ports, and the seconds for which it is loaded; 0 if it holds
 * nothing.
 */
export interface LoadedSet {
  readonly set: string
  readonly seconds: number
}

/** The whole seconds for which a set is still loaded, and for which it was loaded the last time. */
export interface Loaded {
  readonly expiresIn: number
  readonly loadedFor: number
}

/** Renders the set; empty if nothing is ever loaded into the table. */
export function renderLoadedSet({ table, sets, periodSets }: Automaton): NftSet[] {
  if (![...sets, ...periodSets].some(({ name }) => isLoaded(name))) return []
  return [{ family: 'inet', table, name: LOADED_SET, type: 'mark', flags: ['timeout'] }]
}

/** Renders the elements for some sets. Those of other sets stay. */
export function renderLoaded(table: string, loaded: readonly LoadedSet[]): NftCommand[] {
  if (loaded.length === 0) return []
  const elements = (elem: NftValue[]) => {
    return { element: { family: 'inet', table, name: LOADED_SET, elem } } as const
  }
  const keys = loaded.map(({ set }) => keyOf(set))
  const lasting = loaded.flatMap(({ set, seconds: timeout }): NftValue[] =>
    timeout > 0 ? [{ elem: { val: keyOf(set), timeout, comment: set } }] : [],
  )
  // `add` would leave the timeout of an existing element, and nft cannot delete a missing one.
  const gone = [{ add: elements(keys) }, { delete: elements(keys) }]
  return lasting.length > 0 ? [...gone, { add: elements(lasting) }] : gone
}

/**
 * Reads until when each set is loaded. Sets that hold nothing any more are missing. Undefined if
 * the table does not say it: nothing is ever loaded, or an older knocklib made it.
 */
export function loadedIn({ sets }: Listing): ReadonlyMap<string, Loaded> | undefined {
  const elements = sets.get(LOADED_SET)?.elements
  return (
    elements &&
    new Map(
      elements.flatMap(({ comment = '', timeout = 0, expires = 0 }) =>
        isLoaded(comment) ? [[comment, { expiresIn: expires, loadedFor: timeout }] as const] : [],
      ),
    )
  )
}

/** Whether a set of that name is one that is loaded ahead. */
function isLoaded(name: string): boolean {
  const role = parseSetName(name)?.role
  return role?.kind === 'inner' && /^(?:(?:open\d+|close)_)?(?:tokens|ports)\d+_/.test(name)
}

/**
 * The key of a set: a digest of its name. If two sets share one, by a chance of 1 in 2³², nothing
 * is said of one of them.
 */
const keyOf = (set: string): number => Number.parseInt(hexDigest(set, 8), 16)
