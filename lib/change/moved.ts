// The grants and counts of an installed table → the commands that move or delete those of doors
// which come or go, begin or cease to share their sets, or have a service at another port; bans of
// wider blocks. Pure.
import { BANNED, isClosing } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { numberIn, parseCountSet } from '../automaton/sharing/names.js'
import type { ElementKey, NftCommand } from '../nft/document.js'
import type { ListedElement, Listing } from '../nft/listing.js'
import { familySet, parseFamilySet } from '../nft/names.js'
import { type GrantPlace, grantKey, grantPlaceOf, isAt } from '../nft/own-sets.js'
import { WIDTH } from '../spec/model/address.js'
import type { Prefix } from '../spec/model/packet-model.js'
import { blockOf, lengthIn } from '../spec/model/prefix.js'
import { renderCarried } from './carry.js'

const FAMILIES = [4, 6] as const

/** The installed doors and the wanted ones, and the sets that the wanted table has. */
interface Moved {
  readonly table: string
  readonly before: readonly DoorSummary[]
  readonly after: readonly DoorSummary[]
  /** nft's names of the sets, with their sizes. */
  readonly sizes: ReadonlyMap<string, number | undefined>
}

/**
 * Renders the moves. A door that has its own set as before keeps its grants there. In a set that
 * doors share, the grants of a door that is gone are deleted: its port may get another door. If a
 * set has not room for all, those move that last longest.
 *
 * @param listing - of the installed table; its grants must be listed.
 */
export function renderMovedGrants(
  { table, before, after, sizes }: Moved,
  { sets }: Listing,
): NftCommand[] {
  const wanted = new Map(after.map((door) => [door.name, door]))
  const leaving = new Map<string, ElementKey[]>()
  const coming = new Map<string, ListedElement[]>()
  for (const had of before) {
    const has = wanted.get(had.name)
    if (!had.shared && !has?.shared) continue
    const from = grantPlaceOf(had)
    const place = has && has.scope === had.scope ? grantPlaceOf(has) : undefined
    for (const family of FAMILIES) {
      // A grant for one block is none for another, so it does not move.
      const isAlike = lengthIn(place?.prefix, family) === lengthIn(from.prefix, family)
      const to = isAlike ? place : undefined
      if (to && isSame(from, to)) continue
      const name = familySet(from.set, family, from.prefix)
      const own = (sets.get(name)?.elements ?? []).filter((element) => isAt(from, element))
      if (had.shared && sizes.has(name)) {
        gather(
          leaving,
          name,
          own.map(({ key: [source = ''] }) => grantKey(from, source)),
        )
      }
      if (to)
        gather(
          coming,
          familySet(to.set, family, to.prefix),
          own.map((element) => moved(element, to)),
        )
    }
  }
  const roomIn = (name: string): number | undefined => {
    const size = sizes.get(name)
    if (size === undefined) return undefined
    const staying = (sets.get(name)?.elements.length ?? 0) - (leaving.get(name)?.length ?? 0)
    return Math.max(size - staying, 0)
  }
  return [
    ...[...leaving].flatMap(([name, elem]) => deleteElements(table, name, elem)),
    ...[...coming].flatMap(([name, elements]) =>
      renderCarried(table, name, elements, roomIn(name)),
    ),
  ]
}

/**
 * Deletes the counts of shared knocks that are gone, so that their sets never fill up, and of those
 * whose number another knock has now. Sets that the wanted table does not have are gone anyway.
 */
export function renderOldCounts(
  { table, before, after }: Pick<Moved, 'table' | 'before' | 'after'>,
  { sets }: Listing,
): NftCommand[] {
  if (!after.some(({ shared }) => shared)) return []
  const [had, has] = [ownersOf(before), ownersOf(after)]
  return [...sets].flatMap(([name, { elements }]) => {
    const kind = parseCountSet(parseFamilySet(name)?.set ?? name)
    if (!kind || (kind === 'closes' && !hasCloses(after))) return []
    const old = elements.flatMap(({ key: [mark = ''] }) => {
      const number = numberIn(Number(mark))
      const stays = has.has(number) && had.get(number) === has.get(number)
      return stays ? [] : [Number(mark)]
    })
    return old.length > 0 ? deleteElements(table, name, old) : []
  })
}

const hasCloses = (doors: readonly DoorSummary[]): boolean =>
  doors.some(({ shared }) => shared?.knocks.some(({ attempt }) => isClosing(attempt)))

/** By the number of each shared knock, its door and attempt. */
const ownersOf = (doors: readonly DoorSummary[]): Map<number, string> =>
  new Map(
    doors.flatMap(({ name, shared }) =>
      (shared?.knocks ?? []).map(({ attempt, number }) => [number, `${name} ${attempt}`] as const),
    ),
  )

const isSame = (a: GrantPlace, b: GrantPlace): boolean => a.set === b.set && a.port === b.port

function moved(element: ListedElement, { port }: GrantPlace): ListedElement {
  const [source = ''] = element.key
  return { ...element, key: port === undefined ? [source] : [source, String(port)] }
}

function gather<T>(groups: Map<string, T[]>, name: string, items: readonly T[]): void {
  if (items.length === 0) return
  const group = groups.get(name)
  if (group) group.push(...items)
  else groups.set(name, [...items])
}

/** Each is added first, since nft refuses to delete one that has expired since the listing. */
function deleteElements(table: string, name: string, elem: ElementKey[]): NftCommand[] {
  const element = { family: 'inet', table, name, elem } as const
  return [{ add: { element } }, { delete: { element } }]
}

interface Banning {
  readonly table: string
  readonly prefix: Prefix | undefined
  /** nft's names of the sets, with their sizes. */
  readonly sizes: ReadonlyMap<string, number | undefined>
}

/**
 * Renders bans of the blocks around the banned sources, if the wanted table bans wider blocks. Of
 * those in one block the longest stays. Grants do not move to another prefix, since none may get
 * wider; a ban lets nobody in.
 */
export function renderWidenedBans(
  { table, prefix, sizes }: Banning,
  { sets }: Listing,
): NftCommand[] {
  return [...sets].flatMap(([name, { elements }]) => {
    const { set, family, prefix: had } = parseFamilySet(name) ?? {}
    if (set !== BANNED || family === undefined) return []
    const wanted = familySet(BANNED, family, prefix)
    const length = prefix?.[family] ?? WIDTH[family]
    if (!sizes.has(wanted) || length >= (had?.[family] ?? WIDTH[family])) return []
    const longest = new Map<string, ListedElement>()
    for (const element of elements) {
      const [address = ''] = element.key
      const block = blockOf({ family, address }, prefix).address
      const other = longest.get(block)
      if (other && (other.expires ?? 0) >= (element.expires ?? 0)) continue
      longest.set(block, { ...element, key: [block] })
    }
    return renderCarried(table, wanted, [...longest.values()], sizes.get(wanted))
  })
}
