// Gathers the problems of a document, each with its JSON Pointer and the value found there. Pure.
import type { SpecProblem } from '../../text/problems.js'

/** Writes one part of a JSON Pointer (RFC 6901), escaped, with its slash. */
export const at = (key: string | number): string =>
  `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

/** The most characters of a value that a message echoes. */
const LONGEST = 120

export class Findings {
  readonly problems: SpecProblem[] = []
  readonly #document: unknown
  /** The paths that were reported, and all paths above them. */
  readonly #paths = new Set<string>()
  readonly #around = new Set<string>()

  constructor(document: unknown) {
    this.#document = document
  }

  /**
   * Reports a problem: what was expected at a path, and what is there. If the path was reported
   * before, the first report stays.
   *
   * @param expected - completes "expected …, got …".
   * @param meant - the word that was probably meant.
   */
  add(path: string, expected: string, meant?: string): void {
    if (!this.#isFirst(path)) return
    const value = valueAt(this.#document, path)
    const got = value ? echo(value.found) : 'nothing'
    this.problems.push({
      path,
      message:
        `expected ${expected}, got ` +
        `${got}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      params: { expected, ...value, ...(meant !== undefined && { meant }) },
    })
  }

  /**
   * Reports a value that contradicts another one. If the path was reported before, the first report
   * stays.
   *
   * @param other - JSON Pointer of the other value.
   */
  conflict(path: string, other: string, reason: string): void {
    if (!this.#isFirst(path)) return
    const value = valueAt(this.#document, path)
    this.problems.push({
      path,
      message: `conflicts with ${other}: ${reason}`,
      params: { expected: `no conflict with ${other}`, ...value },
    })
  }

  #isFirst(path: string): boolean {
    if (!this.isClean(path)) return false
    this.#paths.add(path)
    for (let part = path; part !== ''; part = part.slice(0, part.lastIndexOf('/'))) {
      this.#around.add(part)
    }
    this.#around.add('')
    return true
  }

  /** Returns what the document has at a path; undefined if it has nothing there. */
  found(path: string): unknown {
    return valueAt(this.#document, path)?.found
  }

  /** Whether the document has anything at a path. */
  isGiven(path: string): boolean {
    return this.found(path) !== undefined
  }

  /** Whether the document has a list at a path. */
  isList(path: string): boolean {
    return Array.isArray(this.found(path))
  }

  /** Whether the value at exactly this path has the right form. */
  isClean(path: string): boolean {
    return !this.#paths.has(path)
  }

  /** Whether the value at this path and everything in it has the right form. */
  isCleanBelow(path: string): boolean {
    return !this.#around.has(path)
  }

  /**
   * Sorts the problems as the document has their places. What is missing comes last in its part.
   */
  sorted(): SpecProblem[] {
    const known: Places = new Map()
    return this.problems
      .map((problem) => ({ problem, places: placesOf(this.#document, problem.path, known) }))
      .sort((a, b) => compare(a.places, b.places))
      .map(({ problem }) => problem)
  }
}

function echo(value: unknown): string {
  const text = asText(value)
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`
}

/** Writes the value as JSON if it has one: a document made by a program may hold anything. */
function asText(value: unknown): string {
  if (typeof value === 'number') return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // Too deeply nested, or circular.
    return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : String(value)
  }
}

/** Splits a JSON Pointer into its keys. */
export const keysOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object'

function valueAt(document: unknown, path: string): { found: unknown } | undefined {
  let found = document
  for (const key of keysOf(path)) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined
    found = found[key]
  }
  return { found }
}

/** The index of each key of a path among the keys beside it. */
function placesOf(document: unknown, path: string, known: Places): number[] {
  let value = document
  return keysOf(path).map((key) => {
    const place = isObject(value) ? placeOf(value, key, known) : -1
    value = isObject(value) ? value[key] : undefined
    return place === -1 ? Number.POSITIVE_INFINITY : place
  })
}

/** By object, the indices of its keys. */
type Places = Map<object, ReadonlyMap<string, number>>

function placeOf(parent: object, key: string, known: Places): number {
  if (Array.isArray(parent)) return Number(key)
  const places = known.get(parent) ?? new Map(Object.keys(parent).map((own, index) => [own, index]))
  known.set(parent, places)
  return places.get(key) ?? -1
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((place, i) => place !== b[i])
  if (index === -1) return a.length - b.length
  const [left, right] = [a[index] as number, b[index]]
  return right !== undefined && left < right ? -1 : 1
}
