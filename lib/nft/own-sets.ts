// The sets that shared doors have in common → the same elements in sets and counters of each door,
// as a door alone has them. Pure. So nothing that reads a listing need know which doors share.
import { counterName, grantsSet, stageSet } from '../automaton/language/names.js'
import type { DoorSummary } from '../automaton/language/summary.js'
import { SharedKnocks } from '../automaton/sharing/find.js'
import {
  ADVANCED,
  admittedSet,
  numberIn,
  parseAdmitted,
  parseCountSet,
  STARTED,
  stageIn,
} from '../automaton/sharing/names.js'
import type { Prefix } from '../spec/model/packet-model.js'
import { aboutComments, parseAbout } from './about.js'
import type { ListedElement, ListedSet, Listing } from './listing.js'
import { commonSet, familySet, familySets, parseFamilySet } from './names.js'

/** Where a door's grants are: in a set of its own, or in one that also has the service's port. */
export interface GrantPlace {
  /** The automaton's name of the set. */
  readonly set: string
  readonly port?: number
  /** The block that a grant is for. Absent: the address. */
  readonly prefix?: Prefix
}

export function grantPlaceOf({ name, shared, prefix }: DoorSummary): GrantPlace {
  const blocks = prefix && { prefix }
  return shared
    ? { set: admittedSet(shared.service.protocol), port: shared.service.port, ...blocks }
    : { set: grantsSet(name), ...blocks }
}

/** nft's names of the sets that have a door's grants. */
export function grantSetsOf(door: DoorSummary): string[] {
  const { set, prefix } = grantPlaceOf(door)
  return door.scope === 'everyone' ? [commonSet(set)] : familySets(set, prefix)
}

/** The key of a source's grant. Undefined stands for everyone. */
export function grantKey({ port }: Pick<GrantPlace, 'port'>, source: string | undefined) {
  if (source === undefined) return 0
  return port === undefined ? source : { concat: [source, port] satisfies [string, number] }
}

/** Whether an element of the set is a grant of that place. */
export const isAt = ({ port }: Pick<GrantPlace, 'port'>, { key }: ListedElement): boolean =>
  port === undefined || key[1] === String(port)

/**
 * Adds the doors' own sets and counters to a listing. They have no size. Elements that belong to no
 * door are left out.
 */
export function withOwnSets(listing: Listing, doors: Iterable<DoorSummary>): Listing {
  const shared = new SharedKnocks(doors)
  if (shared.isEmpty) return listing
  const sets = new Map(listing.sets)
  const counters = new Map(listing.counters)
  const own = new Map<string, ListedElement[]>()
  const put = (set: string, element: ListedElement) => {
    const elements = own.get(set)
    if (elements) elements.push(element)
    else own.set(set, [element])
  }
  for (const [name, { elements }] of listing.sets) {
    const { set, family, prefix } = parseFamilySet(name) ?? { set: name }
    const kind = parseCountSet(set)
    for (const element of kind ? elements : []) {
      const door = shared.find(numberIn(Number(element.key[0])))?.door
      if (!kind || !door) continue
      const counter = counterName(kind, door.name)
      counters.set(counter, (counters.get(counter) ?? 0) + (element.packets ?? 0))
    }
    if (!family) continue
    const protocol = parseAdmitted(set)
    for (const { key, mark = 0, ...rest } of elements) {
      const [source = '', port = ''] = key
      const element = { ...rest, key: [source] }
      if (protocol) {
        const door = shared.doorAt(protocol, port)
        if (door) put(familySet(grantsSet(door.name), family, prefix), element)
      } else if (set === STARTED || set === ADVANCED) {
        const found = shared.find(numberIn(mark))
        if (!found) continue
        const stage = stageSet(found.door.name, found.attempt, stageIn(mark))
        put(familySet(stage, family, prefix), element)
      }
    }
  }
  for (const [name, elements] of own) sets.set(name, { ...OWN, elements })
  return { ...listing, sets, counters }
}

/** Does the same by what the listed table says of its own doors. */
export const standingSets = (listing: Listing): Listing =>
  withOwnSets(listing, parseAbout(aboutComments(listing) ?? [])?.doors ?? [])

const OWN: Pick<ListedSet, 'timeout' | 'size'> = { timeout: undefined, size: undefined }
