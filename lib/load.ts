// A spec's file, JSON or YAML → the document in it, not validated yet. Reads one file; the only importer of yaml.
import { extname } from 'node:path'
import { ArgumentError, SpecError } from './errors.js'
import { readBounded } from './files/read.js'

/** Bytes of a spec of ten thousand doors, and some. */
const LONGEST = 2 ** 25

/**
 * Reads a JSON or YAML file; the ending says which (.yaml and .yml are YAML, all others JSON).
 *
 * @throws SpecError where the text is not of that form, with line and column.
 * @throws ArgumentError if it is no regular file, too large, or cannot be read.
 */
export async function loadDocument(path: string, operation = 'loadDocument'): Promise<unknown> {
  const subject = `${operation}: ${path}`
  const content = await readBounded(path, { subject, what: 'the document', most: LONGEST })
  if (!content) throw new ArgumentError(`${subject}: ENOENT: no such file or directory`)
  const text = content.toString('utf8')
  return ['.yaml', '.yml'].includes(extname(path))
    ? parseYaml(text, path, operation)
    : parseJson(text, path, operation)
}

function parseJson(text: string, path: string, operation: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notOfForm(operation, path, 'JSON', (cause as Error).message, cause)
  }
}

async function parseYaml(text: string, path: string, operation: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { uniqueKeys: true })
  const [error] = document.errors
  if (error) throw notOfForm(operation, path, 'YAML', firstLine(error.message), error)
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    // Aliases of aliases: a few lines that stand for more than fits into memory.
    throw notOfForm(operation, path, 'YAML', firstLine((cause as Error).message), cause)
  }
}

const firstLine = (text: string): string => text.split('\n')[0]?.replace(/:$/, '') ?? ''

const notOfForm = (operation: string, path: string, form: string, reason: string, cause: unknown) =>
  new SpecError(
    operation,
    [{ path: '', message: `expected ${form}, ${path}: ${reason}`, params: { expected: form } }],
    { cause },
  )
