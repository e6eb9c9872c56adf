// A table and which elements are wanted → a listing that costs no more than those. Touches the
// kernel.
//
// Strangers fill sets by sending packets: half a million elements take nft some ten seconds and a
// gigabyte to list. So a table that is not listed in a short time is listed without elements, and
// then only the sets that are needed.
import { NetlinkError, NftError } from '../errors.js'
import type { NftValue } from '../nft/document.js'
import { type ListedElement, type ListedSet, type Listing, parseListing } from '../nft/listing.js'
import { hasPort } from '../nft/names.js'
import { listedObjects, listOf, type Part, partsOf } from '../nft/parts.js'
import { SERIAL_SET } from '../nft/serial.js'
import type { ElementForm, Elements } from './elements.js'
import type { CallOptions, Nft } from './nft.js'

/** If more sets are wanted, nft lists the whole table: each set alone takes a process. */
const MOST_PROCESSES = 64
/** Processes that run at once. */
const AT_ONCE = 4
/** Milliseconds that nft may take for a whole table. */
const BRIEF = 1000
/** Elements for which it may take a millisecond more. */
const EACH_MILLISECOND = 20
/** Bytes that a whole table may take, and each element besides. */
const SHORT = 2 ** 20
const EACH_ELEMENT = 120

/** A table, and the ways to list it. */
export interface ListedPlace {
  readonly nft: Nft
  readonly elements: Elements
  readonly table: string
}

/**
 * Lists a table as nft does, without the elements of unwanted sets and maps. Without netlink it
 * lists the whole table if that takes a short time: each process costs more than some thousand
 * elements.
 *
 * @param expected - how many elements the wanted sets and maps may well have.
 * @throws NftError `not-found` if the table does not exist, or a part of it was removed meanwhile.
 */
export async function listParts(
  place: ListedPlace,
  isWanted: (part: Part) => boolean,
  call: CallOptions,
  expected = 0,
): Promise<unknown> {
  const { nft, elements, table } = place
  const timeout = BRIEF + Math.ceil(expected / EACH_MILLISECOND)
  const longest = SHORT + expected * EACH_ELEMENT
  const whole = () => ifInTime(() => nft.list({ table }, { ...call, timeout, longest }))
  return (
    ((await elements.streams(call)) ? undefined : await whole()) ??
    listPartByPart(place, isWanted, call)
  )
}

/** Returns undefined if nft was ended because it took too long, or said too much. */
const ifInTime = (list: () => Promise<unknown>): Promise<unknown> =>
  list().catch((error: unknown) => {
    if (error instanceof NftError && ['timed-out', 'ended'].includes(error.code)) return undefined
    throw error
  })

/**
 * Lists the table without elements, and then the wanted sets and maps.
 *
 * The mark of the last install is listed first. So a transaction that deletes this mark fails if
 * the table was replaced while its parts were listed.
 */
async function listPartByPart(
  place: ListedPlace,
  isWanted: (part: Part) => boolean,
  call: CallOptions,
): Promise<unknown> {
  const { nft, table } = place
  const serial = await serialElements(place, call)
  const objects = listedObjects(await nft.list({ table, terse: true }, call))
  const parts = partsOf(objects)
  const wanted = [...parts.values()].filter(
    (part) =>
      (part.kind === 'set' || part.kind === 'map') &&
      part.content['count'] !== 0 &&
      !(serial && part.name === SERIAL_SET) &&
      isWanted(part),
  )
  const listed = new Map<string, unknown>()
  const mark = parts.get(SERIAL)
  if (serial && mark) listed.set(SERIAL, { set: { ...mark.content, elem: serial } })
  const rest: Part[] = []
  for (const part of wanted) {
    const object = await readPart(place, part, call)
    if (object) listed.set(`${part.kind} ${part.name}`, object)
    else rest.push(part)
  }
  if (rest.length > MOST_PROCESSES) return nft.list({ table }, call)
  await inParallel(rest, async ({ kind, name }) => {
    const key = `${kind} ${name}`
    for (const object of listedObjects(await nft.list({ table, [kind]: name }, call))) {
      if (partsOf([object]).has(key)) listed.set(key, object)
    }
  })
  return { nftables: objects.map((object) => listed.get(keyOf(object)) ?? object) }
}

/** Reads a set or map with its elements through netlink; undefined if only nft can. */
async function readPart(
  place: ListedPlace,
  { kind, name, content }: Part,
  call: CallOptions,
): Promise<unknown> {
  const { type, map, flags } = content
  const key = Array.isArray(type) ? type : [type]
  // The kernel has the ends of ranges as elements of their own.
  const isRange = flags === 'interval' || listOf(flags).includes('interval')
  if (isRange || key.some((part) => typeof part !== 'string')) return undefined
  const data = typeof map === 'string' ? map : undefined
  const elem = await readElements(place, name, { key, data }, call)
  return elem && { [kind]: { ...content, ...(elem.length > 0 && { elem }) } }
}

/** Reads the elements of a set or map through netlink; undefined if only nft can. */
async function readElements(
  { elements, table }: ListedPlace,
  set: string,
  form: ElementForm,
  call: CallOptions,
): Promise<readonly NftValue[] | undefined> {
  try {
    return await elements.listed({ table, set }, form, call)
  } catch (error) {
    // Others change the ruleset all the time: nft's own listing is not interrupted for ever.
    if (error instanceof NetlinkError) return undefined
    throw error
  }
}

/** Lists the mark of the last install; undefined if there is none. */
async function serialElements(
  place: ListedPlace,
  call: CallOptions,
): Promise<readonly unknown[] | undefined> {
  const { nft, table } = place
  try {
    const read = await readElements(place, SERIAL_SET, { key: ['mark'] }, call)
    if (read) return read
    const listing = await nft.list({ table, set: SERIAL_SET }, call)
    return partsOf(listedObjects(listing)).get(SERIAL)?.elements
  } catch (error) {
    // A table of another program has no mark.
    if (error instanceof NftError && error.code === 'not-found') return undefined
    throw error
  }
}

const SERIAL = `set ${SERIAL_SET}`

const keyOf = (object: unknown): string => [...partsOf([object]).keys()][0] ?? ''

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** A listing and its objects; the elements of its sets and maps may be left out. */
export type ListedTable = Listing & { readonly objects: readonly unknown[] }

/**
 * Lists a table with a limited number of elements of each set.
 *
 * @param most - the limit for a set, by nft's name for it; 0: none, Infinity: all.
 * @throws NftError `not-found` if the table does not exist.
 */
export async function listElements(
  place: ListedPlace,
  most: (set: string) => number,
  call: CallOptions,
): Promise<ListedTable> {
  const { nft, elements, table } = place
  const streams = await elements.streams(call)
  if (!streams) {
    const listing = await ifInTime(() => nft.list({ table }, { ...call, timeout: BRIEF }))
    if (listing !== undefined) return { ...parseListing(listing), objects: listedObjects(listing) }
  }
  const objects = listedObjects(await nft.list({ table, terse: true }, call))
  const { sets, counters } = parseListing({ nftables: objects })
  const parts = partsOf(objects)
  const found = new Map<string, ListedSet>()
  for (const [name, set] of sets) {
    const isMap = parts.has(`map ${name}`)
    const type = parts.get(`${isMap ? 'map' : 'set'} ${name}`)?.content['type']
    const terse = { name, isMap, set, type }
    found.set(name, await withElements(place, terse, most(name), streams, call))
  }
  return { sets: found, counters, objects }
}

interface TerseSet {
  readonly name: string
  readonly isMap: boolean
  readonly set: ListedSet
  readonly type: unknown
}

const ADDRESSES: readonly unknown[] = ['ipv4_addr', 'ipv6_addr']

/** Whether the keys are addresses, alone or with a port. */
const isOfSources = (name: string, type: unknown): boolean =>
  ADDRESSES.includes(type) || hasPort(name)

async function withElements(
  { nft, elements, table }: ListedPlace,
  { name, isMap, set, type }: TerseSet,
  most: number,
  streams: boolean,
  call: CallOptions,
): Promise<ListedSet> {
  if (set.count === 0) return set
  if (most === 0) return { ...set, isCut: true }
  const query = { table, set: name }
  if (streams && isOfSources(name, type)) {
    return { ...set, ...(await take(elements.list(query, call), most)) }
  }
  if (most === Number.POSITIVE_INFINITY) {
    const listing = parseListing(await nft.list(isMap ? { table, map: name } : query, call))
    return { ...set, elements: listing.sets.get(name)?.elements ?? [] }
  }
  if (!streams || set.count !== undefined) return { ...set, isCut: true }
  // The elements are only counted, so their keys need not be read.
  return { ...set, ...(await take(elements.list({ ...query, isRaw: true }, call), most)) }
}

/** Takes at most `most` elements. Leaving the loop ends the dump, so the rest costs nothing. */
async function take(
  parts: AsyncIterable<readonly ListedElement[]>,
  most: number,
): Promise<Pick<ListedSet, 'elements' | 'isCut'>> {
  const found: ListedElement[] = []
  for await (const part of parts) {
    for (const element of part) {
      if (found.length === most) return { elements: found, isCut: true }
      found.push(element)
    }
  }
  return { elements: found }
}
