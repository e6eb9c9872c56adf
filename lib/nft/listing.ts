// nft's JSON listing of one table → its sets and counters, typed. Pure. An unexpected form is an
// error and is never guessed at.
import { ListingError } from '../errors.js'

export interface ListedElement {
  /** The fields of the key, in order. */
  readonly key: readonly string[]
  /**
   * The element's timeout in seconds, and the seconds that remain (0: less than one). Undefined if
   * it does not expire.
   */
  readonly timeout: number | undefined
  readonly expires: number | undefined
  readonly comment?: string
  /** What a map remembers for the key. */
  readonly mark?: number
  /** The packets that the element counted. */
  readonly packets?: number
}

export interface ListedSet {
  readonly timeout: number | undefined
  readonly size: number | undefined
  readonly elements: readonly ListedElement[]
  /** The number of elements that the kernel counts. Absent before Linux 6.17 and nft 1.1.5. */
  readonly count?: number
  /** True if the set may hold more elements than `elements` has. */
  readonly isCut?: boolean
}

export interface Listing {
  readonly sets: ReadonlyMap<string, ListedSet>
  /** Packets by the counter's name. */
  readonly counters: ReadonlyMap<string, number>
}

/**
 * Reads a listing.
 *
 * @throws ListingError with the fragment that has an unexpected form.
 */
export function parseListing(json: unknown): Listing {
  const sets = new Map<string, ListedSet>()
  const counters = new Map<string, number>()
  for (const item of list(record(json, json)['nftables'], json)) {
    const [entry] = Object.entries(record(item, item))
    if (!entry) continue
    const [kind, value] = entry
    const content = record(value, item)
    switch (kind) {
      case 'set':
        sets.set(text(content['name'], item), parseSet(content))
        break
      case 'map':
        if (isDynamic(content)) sets.set(text(content['name'], item), parseSet(content))
        break
      case 'counter':
        counters.set(text(content['name'], item), number(content['packets'], item))
        break
      default:
        // Chains, rules and constant maps are compared in nft's own form.
        break
    }
  }
  return { sets, counters }
}

/** Whether packets add to a map. */
const isDynamic = ({ flags }: Record<string, unknown>): boolean =>
  flags === 'timeout' || (Array.isArray(flags) && flags.includes('timeout'))

function parseSet(content: Record<string, unknown>): ListedSet {
  const count = optionalNumber(content['count'], content)
  return {
    timeout: optionalNumber(content['timeout'], content),
    size: optionalNumber(content['size'], content),
    ...(count !== undefined && { count }),
    elements: optionalList(content['elem'], content).map(
      content['map'] === undefined ? parseElement : parseEntry,
    ),
  }
}

/** Reads an element of a map: its key, and the mark that it has for the key. */
function parseEntry(value: unknown): ListedElement {
  const [key, mark, ...more] = list(value, value)
  if (more.length > 0) throw unexpected('a key and a mark', value)
  return { ...parseElement(key), mark: number(mark, value) }
}

/**
 * Reads `"10.0.0.1"`, `{"concat": […]}`, `{"prefix": …}`, or one of these in `{"elem": {"val",
 * "timeout", "expires"}}`.
 */
function parseElement(value: unknown): ListedElement {
  if (isRecord(value) && isRecord(value['elem'])) {
    const { val, timeout, expires, comment, counter } = value['elem']
    return {
      key: parseKey(val),
      timeout: optionalNumber(timeout, value),
      expires: optionalNumber(expires, value),
      ...(comment !== undefined && { comment: text(comment, value) }),
      ...(counter !== undefined && { packets: number(record(counter, value)['packets'], value) }),
    }
  }
  return { key: parseKey(value), timeout: undefined, expires: undefined }
}

function parseKey(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)]
  if (isRecord(value) && Array.isArray(value['concat'])) return value['concat'].flatMap(parseKey)
  if (isRecord(value) && isRecord(value['prefix'])) {
    const { addr, len } = value['prefix']
    return [`${text(addr, value)}/${number(len, value)}`]
  }
  if (isRecord(value) && Array.isArray(value['range'])) return [value['range'].join('-')]
  throw unexpected('an element', value)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const unexpected = (what: string, fragment: unknown): ListingError =>
  new ListingError(
    `parseListing: expected ${what}, got ${JSON.stringify(fragment)?.slice(0, 200)}`,
    fragment,
  )

function record(value: unknown, fragment: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw unexpected('an object', fragment)
  return value
}

function list(value: unknown, fragment: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unexpected('a list', fragment)
  return value
}

function text(value: unknown, fragment: unknown): string {
  if (typeof value !== 'string') throw unexpected('a string', fragment)
  return value
}

function number(value: unknown, fragment: unknown): number {
  if (typeof value !== 'number') throw unexpected('a number', fragment)
  return value
}

const optionalNumber = (value: unknown, fragment: unknown): number | undefined =>
  value === undefined ? undefined : number(value, fragment)

const optionalList = (value: unknown, fragment: unknown): readonly unknown[] =>
  value === undefined ? [] : list(value, fragment)
