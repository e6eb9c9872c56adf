// A saved state ↔ the file that holds it. Reads and replaces one file.
import { constants } from 'node:fs'
import { lstat, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ArgumentError, StateError } from './errors.js'
import type { KnockState } from './spec/generated/state-types.js'
import { validateState } from './spec/read-state.js'

/** The longest text that JSON.parse can be given, nearly. */
const LONGEST = 2 ** 29 - 2 ** 16
/** What a temporary file has behind the state's name, and milliseconds after which one is nobody's any more. */
const TEMPORARY = /^\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const FORGOTTEN = 600_000
/** Lines that are written at once. */
const AT_ONCE = 5000

/**
 * Writes a state to a file that its owner alone can read. It is replaced at once: whatever happens meanwhile, the file
 * holds the state of before or this one, and when this resolves the disk has it. A link is replaced, not followed.
 *
 * @throws StateError where the state is wrong; the file is as it was.
 * @throws ArgumentError where the file cannot be written; it is as it was.
 */
export async function saveState(path: string, state: KnockState): Promise<void> {
  // One that cannot be read back would be found out at the next boot.
  const valid = validateState(state, 'saveState')
  const { randomUUID } = await import('node:crypto')
  const temporary = `${path}.${randomUUID()}`
  try {
    await sweep(path)
    const file = await open(temporary, 'wx', 0o600)
    try {
      for (const part of textOf(valid)) await file.appendFile(part)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true })
    const reason = `the state cannot be written: ${reasonOf(cause as NodeJS.ErrnoException, path)}`
    throw new ArgumentError(`saveState: ${path}: ${reason}`, { cause })
  }
}

/** Removes what a process left behind that was killed while it wrote. */
async function sweep(path: string): Promise<void> {
  const name = basename(path)
  for (const entry of await readdir(dirname(path))) {
    if (!entry.startsWith(name) || !TEMPORARY.test(entry.slice(name.length))) continue
    const left = join(dirname(path), entry)
    const found = await lstat(left).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > FORGOTTEN) await rm(left, { force: true })
  }
}

/** Node's words name the call and the temporary file, which are nobody's business. */
function reasonOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no directory ${dirname(path)}`
  return message.replace(/, \w+ '.*$/s, '')
}

/** A crash must not leave the folder with the file's old name for the new content. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** JSON with a line for each entry: a person may want to look, and a million of them are no single string. */
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
 * @returns the state, its addresses in canonical form; undefined where there is no such file.
 * @throws StateError where the file holds none, with every problem.
 * @throws ArgumentError where it cannot be read, or others than its owner and root may write it.
 */
export async function loadState(path: string): Promise<KnockState | undefined> {
  const subject = `loadState: ${path}`
  const text = await readText(path, subject)
  if (text === undefined) return undefined
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    const problem = { path: '', message: `expected JSON: ${(cause as Error).message}` }
    throw new StateError(subject, [{ ...problem, params: { expected: 'JSON' } }], { cause })
  }
  return validateState(document, subject)
}

async function readText(path: string, subject: string): Promise<string | undefined> {
  const wrong = (reason: string, cause?: unknown) =>
    new ArgumentError(`${subject}: ${reason}`, { cause })
  try {
    // A pipe that nobody writes would be waited for.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await file.stat()
      const { mode, uid, size } = stats
      if (!stats.isFile()) throw wrong('expected a file')
      if (uid !== 0 && uid !== process.geteuid?.()) {
        throw wrong(`expected a file of root or of whoever reads it, got one of user ${uid}`)
      }
      if ((mode & 0o022) !== 0) {
        const got = `mode ${(mode & 0o777).toString(8).padStart(3, '0')}`
        throw wrong(`expected a file that its owner alone can write (chmod 600), got ${got}`)
      }
      if (size > LONGEST) throw wrong(`expected a file of at most ${LONGEST} bytes, got ${size}`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof ArgumentError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw wrong(`the state cannot be read: ${message}`, cause)
  }
}
