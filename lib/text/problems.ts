// The problems of a document → lines of text. Pure.
import { printableLine } from './printable.js'

/** One problem of a document. */
export interface SpecProblem {
  /** JSON Pointer into the document (RFC 6901); '' is the whole document. */
  readonly path: string
  /** What was expected there and what was found. */
  readonly message: string
  readonly params: {
    readonly expected: string
    readonly found?: unknown
    /** The known key or word that was probably meant; absent if none is near. */
    readonly meant?: string
  }
  /** Its place in the file, counted from 1; absent if the spec was not read from a file. */
  readonly line?: number
  readonly column?: number
}

/** Writes one line for each of the first `most` problems, then how many more there are. */
export function listProblems(problems: readonly SpecProblem[], most: number): string {
  const lines = problems.slice(0, most).map(({ path, message, line, column }) => {
    const place = line === undefined ? '' : ` (line ${line}, column ${column})`
    return `${path === '' ? '/' : printableLine(path)}${place}: ${message}`
  })
  const more = problems.length - lines.length
  if (more > 0) lines.push(`and ${more} more`)
  return lines.join('\n  ')
}
