// Gathers what is wrong with a document, each with its JSON Pointer and the value found there. Pure.
import type { SpecProblem } from '../errors.js'

/** One step of a JSON Pointer (RFC 6901), escaped. */
export const at = (key: string | number): string =>
  `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

/** The longest value that a message echoes in full. */
const LONGEST = 120

export class Findings {
  readonly problems: SpecProblem[] = []
  readonly #document: unknown

  constructor(document: unknown) {
    this.#document = document
  }

  /** Reports the value at a path: what it should have been. The first report of a path stands. */
  add(path: string, expected: string): void {
    const found = valueAt(this.#document, path)
    this.#push(path, expected, { found })
  }

  /** Reports a key that is not there. */
  addMissing(path: string, key: string): void {
    this.#push(`${path}${at(key)}`, 'a value', {})
  }

  /** Whether the document has a list at a path. */
  isList(path: string): boolean {
    return Array.isArray(valueAt(this.#document, path))
  }

  /** Whether the value at exactly this path has the right form. */
  isClean(path: string): boolean {
    return !this.problems.some((problem) => problem.path === path)
  }

  /** Whether the value at this path and everything in it has the right form. */
  isCleanBelow(path: string): boolean {
    return !this.problems.some(
      (problem) => problem.path === path || problem.path.startsWith(`${path}/`),
    )
  }

  /** The problems in the order of their paths, numbers as numbers. */
  sorted(): SpecProblem[] {
    return [...this.problems].sort((a, b) =>
      a.path.localeCompare(b.path, 'en', { numeric: true }),
    )
  }

  #push(path: string, expected: string, rest: { found?: unknown }): void {
    if (!this.isClean(path)) return
    const got = 'found' in rest ? `got ${echo(rest.found)}` : 'got nothing'
    this.problems.push({
      path,
      message: `expected ${expected}, ${got}`,
      params: { expected, ...rest },
    })
  }
}

function echo(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`
}

function valueAt(document: unknown, path: string): unknown {
  let value = document
  for (const part of path.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}
