// A saved state ↔ its file. Reads and replaces one file.
import { StateError } from '../errors.js'
import type { KnockState } from '../spec/generated/state-types.js'
import { requireTable, validateState } from '../spec/read-state.js'
import { quoted } from '../text/printable.js'
import { findTwice } from './json.js'
import { readBounded } from './read.js'

/** The largest file in bytes: slightly less than the longest string of V8. */
const LONGEST = 2 ** 29 - 2 ** 16
/** Lines per write. */
const AT_ONCE = 5000

/**
 * Writes a state to a file with mode 0600. It is replaced atomically: at each moment the file holds
 * the old state or the new one, and the new one is on disk when this resolves. A link stays.
 * Anything but a file or a link is refused.
 *
 * @throws StateError if the state is invalid; the file is unchanged.
 * @throws ArgumentError if the file cannot be written; it is unchanged.
 */
export async function saveState(path: string, state: KnockState): Promise<void> {
  // Otherwise an invalid state would only be noticed at the next boot.
  const valid = validateState(state, 'saveState')
  const { replaceFile } = await import('./replace.js')
  await replaceFile(path, textOf(valid), {
    operation: 'saveState',
    what: 'the state',
    special: 'refuse',
  })
}

/**
 * Renders JSON with one line for each entry, for people who read it. In parts: a million entries do
 * not fit into one string.
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
 * @param options - `table`: the table that the state must belong to; without it any table is
 * accepted.
 * @returns the state, its addresses in canonical form; undefined if the file does not exist.
 * @throws StateError with every problem of the state, or if it belongs to another table.
 * @throws ArgumentError if it cannot be read, or can be written by others than its owner.
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
