// A saved state ↔ the file that holds it. Reads and replaces one file.
import { StateError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { requireTable, validateState } from '../spec/read-state.js'
import { quoted } from '../text/printable.js'
import { findTwice } from './json.js'
import { readBounded } from './read.js'

/** The longest text that JSON.parse can be given, nearly. */
const LONGEST = 2 ** 29 - 2 ** 16
/** Lines that are written at once. */
const AT_ONCE = 5000

/**
 * Writes a state to a file that its owner alone can read. It is replaced at once: whatever happens
 * meanwhile, the file holds the state of before or this one, and when this resolves the disk has
 * it. A link stays; what is neither a file nor a link is refused.
 *
 * @throws StateError if the state is wrong; the file is as it was.
 * @throws ArgumentError if the file cannot be written; it is as it was.
 */
export async function saveState(path: string, state: KnockState): Promise<void> {
  // One that cannot be read back would be found out at the next boot.
  const valid = validateState(state, 'saveState')
  const { replaceFile } = await import('./replace.js')
  await replaceFile(path, textOf(valid), {
    operation: 'saveState',
    what: 'the state',
    special: 'refuse',
  })
}

/**
 * JSON with a line for each entry: a person may want to look, and a million of them are no single
 * string.
 */
function* textOf(state: KnockState): Generator<string> {
  const { version, table, saved, ...lists } = state
  const head = Object.entries({ version, table, saved })
  yield `{\n${head.map(([key, value]) => `"${key}": ${JSON.stringify(value)}`).join(',\n')}`
  for (const name of ['grants', 'bans', 'tokens', 'sequences'] as const) {
    const list: readonly object[] = lists[name]
    yield `,\n"${name}": [`
    for (let first = 0; first < list.length; first += AT_ONCE) {
      const lines = list.slice(first, first + AT_ONCE).map((entry) => `\n${JSON.stringify(entry)}`)
      yield `${first > 0 ? ',' : ''}${lines.join(',')}`
    }
    yield ']'
  }
  yield '\n}\n'
}

/**
 * Reads a state from the file that `saveState` wrote.
 *
 * @param options - `table`: the table that the state is for; without it that of any table is read.
 * @returns the state, its addresses in canonical form; undefined where there is no such file.
 * @throws StateError if the file holds none, with every problem, or that of another table.
 * @throws ArgumentError if it cannot be read, or others than its owner and root may write it.
 */
export async function loadState(
  path: string,
  { table }: { readonly table?: string | undefined } = {},
): Promise<KnockState | undefined> {
  const subject = `loadState: ${path}`
  const content = await readBounded(path, {
    subject,
    what: 'the state',
    most: LONGEST,
    private: { forbidden: 0o022, expected: 'a file that its owner alone can write' },
  })
  if (!content) return undefined
  const text = content.toString('utf8')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    const problem = { path: '', message: `expected JSON: ${(cause as Error).message}` }
    throw new StateError(subject, [{ ...problem, params: { expected: 'JSON' } }], { cause })
  }
  const twice = findTwice(text)
  if (twice) {
    const { key, path, place } = twice
    const where = `line ${place.line}, column ${place.column}`
    const message = `expected each key once, ${quoted(key)} is there twice at ${where}`
    throw new StateError(subject, [{ path, message, params: { expected: 'each key once' } }])
  }
  const state = validateState(document, subject)
  return table === undefined ? state : requireTable(state, table, subject)
}
