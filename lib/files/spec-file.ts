// A spec's file, JSON or YAML → its document, not validated yet; a problem → its line and column.
// Reads one file.
import { extname } from 'node:path'
import { ArgumentError, DocumentError, SpecError } from '../errors.js'
import { keysOf } from '../spec/model/findings.js'
import { printableLine, quoted } from '../text/printable.js'
import { findTwice } from './json.js'
import { readBounded } from './read.js'
import { locate, parseYaml } from './yaml.js'

/** The largest file in bytes: enough for a spec of ten thousand doors. */
const LONGEST = 2 ** 25

/**
 * Reads a JSON or YAML file: YAML if the name ends in .yaml or .yml, otherwise JSON. An object must
 * not have a key twice. YAML may have 4 MiB, 1000 anchors and 1000 aliases.
 *
 * @throws DocumentError if the text is not JSON or YAML, with line and column.
 * @throws ArgumentError if it is no regular file, is too large, or cannot be read.
 */
export const loadDocument = (path: string): Promise<unknown> => readDocument(path, 'loadDocument')

/**
 * Reads a file as `loadDocument` does.
 *
 * @param operation the start of an error's message.
 */
export async function readDocument(path: string, operation: string): Promise<unknown> {
  const text = await readText(path, operation)
  if (!isYaml(path)) return parseJson(text, path, operation)
  const parsed = await parseYaml(text)
  if ('value' in parsed) return parsed.value
  throw notOfForm(operation, path, 'YAML', parsed.wrong, parsed.cause)
}

async function readText(path: string, operation: string): Promise<string> {
  const subject = `${operation}: ${path}`
  const content = await readBounded(path, { subject, what: 'the document', most: LONGEST })
  if (!content) throw new ArgumentError(`${subject}: ENOENT: no such file or directory`)
  return content.toString('utf8')
}

const isYaml = (path: string): boolean => ['.yaml', '.yml'].includes(extname(path))

function parseJson(text: string, path: string, operation: string): unknown {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw notOfForm(operation, path, 'JSON', (cause as Error).message, cause)
  }
  const twice = findTwice(text)
  if (!twice) return document
  const { line, column } = twice.place
  const place = `${printableLine(twice.path)}, line ${line}, column ${column}`
  const reason = `the key ${quoted(twice.key)} is there twice, at ${place}`
  throw notOfForm(operation, path, 'JSON', reason)
}

const notOfForm = (
  operation: string,
  path: string,
  form: 'JSON' | 'YAML',
  reason: string,
  cause?: unknown,
) => new DocumentError(`${operation}: ${path}: expected ${form}: ${reason}`, { cause })

/** Later problems get no line: nobody reads that many. */
const MOST_LOCATED = 1000

/**
 * Adds to each problem of a spec its line and column in the file. Returns the error unchanged if
 * the file can no longer be read.
 */
export async function withPlaces(error: SpecError, path: string): Promise<SpecError> {
  const problems = error.problems.slice(0, MOST_LOCATED)
  if (problems.every((problem) => problem.path === '')) return error
  try {
    const text = await readText(path, 'withPlaces')
    const places = await locate(
      text,
      problems.map((problem) => keysOf(problem.path)),
    )
    const located = error.problems.map((problem, index) => ({ ...problem, ...places[index] }))
    const [operation = ''] = error.message.split(':')
    return new SpecError(operation, located, { cause: error.cause })
  } catch {
    return error
  }
}
