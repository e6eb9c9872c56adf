// The elements of a set that must be made anew, as listed → the command that puts them into the new
// one. Pure.
import { COUNTED, parseSetName, SYNS } from '../automaton/language/names.js'
import type { NftCommand, NftValue } from '../nft/document.js'
import type { ListedElement } from '../nft/listing.js'
import { parseFamilySet } from '../nft/names.js'

/** Sets of SYNs: each is claimed by the first of equal ones. */
const CLAIMED: readonly string[] = [SYNS, COUNTED]

/**
 * Whether a set of another size takes elements over. Claims are not taken: a listing does not show
 * their limit.
 */
export function isCarried(name: string): boolean {
  const set = parseFamilySet(name)?.set ?? name
  const role = parseSetName(set)?.role
  if (role?.kind === 'claimed' || (role?.kind === 'inner' && /^(\w+_)?lock_/.test(set)))
    return false
  return !CLAIMED.includes(set)
}

/** Elements of one command: one with millions would be a single string too long for JSON. */
const AT_ONCE = 50_000

/**
 * Renders what a set of another size takes over. What ends within the second is left out, since no
 * time is for ever; of more than there is room for, those that last longest are taken.
 */
export function renderCarried(
  table: string,
  name: string,
  elements: readonly ListedElement[],
  size: number | undefined,
): NftCommand[] {
  if (!isCarried(name)) return []
  const lasting = elements
    .filter(({ expires }) => expires !== 0)
    .sort(
      (a, b) => (b.expires ?? Number.POSITIVE_INFINITY) - (a.expires ?? Number.POSITIVE_INFINITY),
    )
    .slice(0, size)
    .map(({ key, timeout = 0, expires }): NftValue => {
      const val = keyOf(key)
      // A rule that renews an element sets what remains, which can be longer than the element's own
      // time.
      return expires === undefined
        ? val
        : { elem: { val, timeout: Math.max(timeout, expires), expires } }
    })
  const commands: NftCommand[] = []
  for (let first = 0; first < lasting.length; first += AT_ONCE) {
    const elem = lasting.slice(first, first + AT_ONCE)
    commands.push({ add: { element: { family: 'inet', table, name, elem } } })
  }
  return commands
}

/**
 * Ports, marks and the number that all sources have in common are numbers; the rest is as it is
 * listed.
 */
function keyOf(key: readonly string[]): NftValue {
  const parts = key.map((part) => (/^\d+$/.test(part) ? Number(part) : part))
  return parts.length === 1 ? (parts[0] as NftValue) : { concat: parts }
}
