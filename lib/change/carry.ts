// The listed elements of a set that is made anew → the commands that put them into the new set.
// Pure.
import { COUNTED, isOfLog, parseSetName, SYNS } from '../automaton/language/names.js'
import { ADVANCED, parseCountSet, STARTED } from '../automaton/sharing/names.js'
import type { NftCommand, NftValue } from '../nft/document.js'
import type { ListedElement } from '../nft/listing.js'
import { parseFamilySet } from '../nft/names.js'

/** Sets of SYNs, in which the first of several equal SYNs claims its element. */
const CLAIMED: readonly string[] = [SYNS, COUNTED]

/** Attempts of shared doors, with the mark that a map remembers for each, end instead. */
const REMEMBERED: readonly string[] = [STARTED, ADVANCED]

/**
 * Whether the elements of a set are carried over when its size changes. Claims are not: a listing
 * does not show the `limit` of an element. Nor are those of the log, which last a minute at most.
 */
export function isCarried(name: string): boolean {
  const set = parseFamilySet(name)?.set ?? name
  const role = parseSetName(set)?.role
  if (
    role?.kind === 'claimed' ||
    (role?.kind === 'inner' && /^(?:(?:open\d+|close\d*)_)?lock_/.test(set))
  )
    return false
  if ([...CLAIMED, ...REMEMBERED].includes(set)) return false
  return !isOfLog(set) && parseCountSet(set) === undefined
}

/** Elements per command. A command with millions would be one string that is too long for JSON. */
const AT_ONCE = 50_000

/**
 * Renders the elements that a set of another size takes over. Elements that end within the second
 * are left out, since nft reads a timeout of 0 as "for ever". If there are more than `size`, those
 * that last longest are taken.
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
      // timeout.
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

/** Ports, marks and the constant key become numbers. Everything else stays as it is listed. */
function keyOf(key: readonly string[]): NftValue {
  const parts = key.map((part) => (/^\d+$/.test(part) ? Number(part) : part))
  return parts.length === 1 ? (parts[0] as NftValue) : { concat: parts }
}
