// Text → a file that holds all of it, or is unchanged. The only place that replaces files.
import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ArgumentError } from '../errors.js'

interface ReplaceOptions {
  readonly operation: string
  /** What the file holds, for errors: `the state`. */
  readonly what: string
  /**
   * What to do with a pipe or a character device: `write` writes to it, as a shell's `>` does;
   * `refuse` is an error. It is never replaced.
   */
  readonly special: 'write' | 'refuse'
}

/**
 * The ending of a temporary file's name, and the age in milliseconds at which one is removed as
 * left over.
 */
const TEMPORARY = /^\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const FORGOTTEN = 600_000
/** The longest chain of links; the kernel's limit is the same (path_resolution(7)). */
const MOST_LINKS = 40

/**
 * Replaces a file atomically: at each moment it holds its old content or the whole text, and the
 * text is on disk when this resolves. Its mode is 0600. A link stays, and the file that it points
 * to is replaced, if root or the caller owns the link.
 *
 * @param parts - written one after the other, so that a large text need not be one string.
 * @throws ArgumentError if it cannot be written; then the file is unchanged.
 */
export async function replaceFile(
  path: string,
  parts: Iterable<string>,
  options: ReplaceOptions,
): Promise<void> {
  try {
    const found = await stat(path).catch(absent)
    if (found && !found.isFile()) await writeSpecial(path, found, parts, options)
    else await replace(await targetOf(path), parts)
  } catch (cause) {
    const reason = reasonOf(cause as NodeJS.ErrnoException, path)
    const message = `${options.operation}: ${path}: ${options.what} cannot be written: ${reason}`
    throw new ArgumentError(message, { cause })
  }
}

async function replace(path: string, parts: Iterable<string>): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  await sweep(path)
  const file = await open(temporary, 'wx', 0o600)
  try {
    await putInPlace(file, temporary, path, parts)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Fills a new file, syncs and closes it, and renames it to `path`. */
export async function putInPlace(
  file: FileHandle,
  temporary: string,
  path: string,
  parts: Iterable<string>,
): Promise<void> {
  try {
    for (const part of parts) await file.appendFile(part)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

/**
 * Writes to what cannot be replaced. A pipe without a reader is an error, so that the call does not
 * wait.
 */
async function writeSpecial(
  path: string,
  found: Stats,
  parts: Iterable<string>,
  { special }: ReplaceOptions,
): Promise<void> {
  const isPipe = found.isFIFO()
  if (special === 'refuse' || !(isPipe || found.isCharacterDevice())) {
    throw new Error(`expected a file, got ${kindOf(found)}`)
  }
  if (isPipe) {
    const first = await open(path, constants.O_WRONLY | constants.O_NONBLOCK).catch(noReader)
    await first.close()
  }
  const file = await open(path, constants.O_WRONLY | constants.O_NOCTTY)
  try {
    for (const part of parts) await file.writeFile(part)
  } finally {
    await file.close()
  }
}

function noReader(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENXIO' ? new Error('nobody reads this pipe') : error
}

/** Follows a chain of links to a file, which need not exist. */
async function targetOf(path: string): Promise<string> {
  let target = path
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const found = await lstat(target).catch(absent)
    if (!found?.isSymbolicLink()) return target
    // In a folder that others can write, a link can point to any file.
    if (found.uid !== 0 && found.uid !== process.geteuid?.()) {
      throw new Error(
        `expected a file, or a link of root or of your own, got a link of user ${found.uid}`,
      )
    }
    target = resolve(dirname(target), await readlink(target))
  }
  throw new Error('too many links')
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** Removes temporary files of processes that were killed while they wrote. */
async function sweep(path: string): Promise<void> {
  const name = basename(path)
  for (const entry of await readdir(dirname(path))) {
    if (!entry.startsWith(name) || !TEMPORARY.test(entry.slice(name.length))) continue
    const left = join(dirname(path), entry)
    const found = await lstat(left).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > FORGOTTEN) await rm(left, { force: true })
  }
}

/**
 * Without this, a crash could leave the old content under the file's name. Windows opens no folder
 * as a file, and its file system writes names down by itself.
 */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Node's message names the call and the temporary file, which do not help the reader. */
function reasonOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no directory ${dirname(path)}`
  return message.replace(/, \w+(?: '.*)?$/s, '')
}

/** Says what kind of file it is. */
export function kindOf(found: Stats): string {
  if (found.isFile()) return 'a file'
  if (found.isDirectory()) return 'a directory'
  if (found.isFIFO()) return 'a pipe'
  if (found.isSocket()) return 'a socket'
  return found.isBlockDevice() ? 'a block device' : 'a character device'
}
