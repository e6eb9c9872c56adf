// Text → a file that holds all of it or is as it was. Writes one file; the only place that replaces
// files.
import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ArgumentError } from '../errors.js'

interface ReplaceOptions {
  readonly operation: string
  /** What it is, for errors: `the state`. */
  readonly what: string
  /**
   * What becomes of a pipe or a character device: `write`: it is written to, as by a shell's `>`;
   * `refuse`: that is an error. It is never replaced.
   */
  readonly special: 'write' | 'refuse'
}

/**
 * What a temporary file has behind the file's name, and milliseconds after which one is nobody's
 * any more.
 */
const TEMPORARY = /^\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const FORGOTTEN = 600_000
/** Links that lead to a file one after the other; the kernel follows as many. */
const MOST_LINKS = 40

/**
 * Replaces a file at once: whatever happens meanwhile, it holds what it held or all of the text,
 * and when this resolves the disk has it. Its owner alone can read it (mode 0600). A link stays,
 * and the file that it leads to is replaced, if the link is root's or the caller's own.
 *
 * @param parts - written one after the other: a large text need not be one string.
 * @throws ArgumentError if it cannot be written; then the file is as it was.
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

/** Fills a new file, closes it, and gives it the name of the one that it replaces. */
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

/** Writes to what cannot be replaced. A pipe that nobody reads is an error, and not waited for. */
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

/** The file that a chain of links leads to, whether it is there or not. */
async function targetOf(path: string): Promise<string> {
  let target = path
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const found = await lstat(target).catch(absent)
    if (!found?.isSymbolicLink()) return target
    // In a folder that others may write, a link can lead to any file.
    if (found.uid !== 0 && found.uid !== process.geteuid?.()) {
      throw new Error(`expected a file or a link of one's own, got a link of user ${found.uid}`)
    }
    target = resolve(dirname(target), await readlink(target))
  }
  throw new Error('too many links')
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
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

/** A crash must not leave the folder with the file's old name for the new content. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Node's words name the call and the temporary file, which are nobody's business. */
function reasonOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no directory ${dirname(path)}`
  return message.replace(/, \w+(?: '.*)?$/s, '')
}

/** What something in a folder is, in words. */
export function kindOf(found: Stats): string {
  if (found.isFile()) return 'a file'
  if (found.isDirectory()) return 'a directory'
  if (found.isFIFO()) return 'a pipe'
  if (found.isSocket()) return 'a socket'
  return found.isBlockDevice() ? 'a block device' : 'a character device'
}
