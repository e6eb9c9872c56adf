// Until when sets are loaded ahead: a set of its own that says it, so that no set of tokens must be
// listed for that. Pure.
import type { Automaton } from '../automaton/language/automaton.js'
import { parseSetName } from '../automaton/language/names.js'
import { hexDigest } from '../spec/model/digest.js'
import type { NftCommand, NftSet, NftValue } from './document.js'
import type { Listing } from './listing.js'

/** One element for each set that is loaded ahead; it ends with the last of what that holds. */
export const LOADED_SET = 'loaded'

/**
 * A set of tokens, or of a rotation's ports, and the seconds for which it is loaded; 0: it holds
 * nothing.
 */
export interface LoadedSet {
  readonly set: string
  readonly seconds: number
}

/**
 * For how long a set is still loaded, and for how long it was when that was done: whole seconds.
 */
export interface Loaded {
  readonly expiresIn: number
  readonly loadedFor: number
}

/** The set, if anything is loaded into the table. */
export function renderLoadedSet({ table, sets, periodSets }: Automaton): NftSet[] {
  if (![...sets, ...periodSets].some(({ name }) => isLoaded(name))) return []
  return [{ family: 'inet', table, name: LOADED_SET, type: 'mark', flags: ['timeout'] }]
}

/** Says it of some sets; what is said of others stays. */
export function renderLoaded(table: string, loaded: readonly LoadedSet[]): NftCommand[] {
  if (loaded.length === 0) return []
  const elements = (elem: NftValue[]) => {
    return { element: { family: 'inet', table, name: LOADED_SET, elem } } as const
  }
  const keys = loaded.map(({ set }) => keyOf(set))
  const lasting = loaded.flatMap(({ set, seconds: timeout }): NftValue[] =>
    timeout > 0 ? [{ elem: { val: keyOf(set), timeout, comment: set } }] : [],
  )
  // An element that is there would keep its time, and one that is not there cannot be deleted.
  const gone = [{ add: elements(keys) }, { delete: elements(keys) }]
  return lasting.length > 0 ? [...gone, { add: elements(lasting) }] : gone
}

/**
 * By set, without those that hold nothing any more; undefined if the table does not say it: nothing
 * is loaded, or an older knocklib made it.
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
 * The same for the same set. Of two sets with one key, by a chance of 1 in 2³², one would be said
 * nothing of.
 */
const keyOf = (set: string): number => Number.parseInt(hexDigest(set, 8), 16)
