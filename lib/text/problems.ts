// What is wrong with a document → lines for people. Pure.
import { printableLine } from './printable.js'

/** One thing that is wrong with a document. */
export interface SpecProblem {
  /** JSON Pointer into the document, as RFC 6901 writes it; '' is all of it. */
  readonly path: string
  /** What was expected there and what was found. */
  readonly message: string
  readonly params: {
    readonly expected: string
    readonly found?: unknown
    /** The key or the word that was probably meant, if one is near. */
    readonly meant?: string
  }
  /** Where the file has it, counted from 1: of a spec that the command line read. */
  readonly line?: number
  readonly column?: number
}

/** One line for each, up to so many, and then how many more there are. */
export function listProblems(problems: readonly SpecProblem[], most: number): string {
  const lines = problems.slice(0, most).map(({ path, message, line, column }) => {
    const place = line === undefined ? '' : ` (line ${line}, column ${column})`
    return `${path === '' ? '/' : printableLine(path)}${place}: ${message}`
  })
  const more = problems.length - lines.length
  if (more > 0) lines.push(`and ${more} more`)
  return lines.join('\n  ')
}
