// A path → the bytes of the regular file there, limited in size and time; anything else is refused.
// Reads one file.
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArgumentError } from '../errors.js'
import { kindOf } from './replace.js'

interface ReadOptions {
  /** The start of an error's message, such as `loadState: /var/lib/knocklib/state.json`. */
  readonly subject: string
  /** What the file holds, for errors: `the secret`. */
  readonly what: string
  /** The maximum size in bytes. */
  readonly most: number
  /**
   * Permission bits that are forbidden, and the words for what is expected. If given, root or the
   * reading user must own the file. Windows has neither, and its files none of these limits: there
   * the access list that a file has from its folder decides who may read it.
   */
  readonly private?: Private
}

interface Private {
  readonly forbidden: number
  readonly expected: string
}

/** Milliseconds for the whole read: a file system may never answer. */
const PATIENCE = 10_000

/**
 * Reads a whole file. Follows links. Refuses a pipe, a device, a socket and a directory without
 * opening it.
 *
 * @returns undefined if the file does not exist.
 * @throws ArgumentError if it is no regular file, is too large, is not private enough, cannot be
 * read, or takes too long.
 */
export async function readBounded(path: string, options: ReadOptions): Promise<Buffer | undefined> {
  const { subject, what } = options
  const ended = new AbortController()
  const late = sleep(PATIENCE, undefined, { signal: ended.signal, ref: false }).then(() => {
    throw new Error(`the file system did not answer within ${PATIENCE / 1000} s`)
  })
  // Its rejection after the race is expected.
  late.catch(() => {})
  try {
    return await Promise.race([readNow(path, options), late])
  } catch (cause) {
    if (cause instanceof ArgumentError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new ArgumentError(`${subject}: ${what} cannot be read: ${message}`, { cause })
  } finally {
    ended.abort()
  }
}

async function readNow(path: string, options: ReadOptions): Promise<Buffer> {
  // Before `open`: some devices act when they are opened.
  requireFile(await stat(path), options)
  // It may be another file by now. Without O_NONBLOCK, `open` would wait for the writer of a pipe.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    requireFile(await file.stat(), options)
    return await readUpTo(file, options)
  } finally {
    await file.close()
  }
}

function requireFile(found: Stats, options: ReadOptions): void {
  const { subject, what, private: isPrivate, most } = options
  const wrong = (reason: string) => new ArgumentError(`${subject}: ${reason}`)
  if (!found.isFile()) throw wrong(`expected ${what} as a file, got ${kindOf(found)}`)
  if (found.size > most) throw tooLong(options, found.size)
  if (isPrivate) requireOwn(found, isPrivate, subject)
}

function requireOwn({ uid, mode }: Stats, { forbidden, expected }: Private, subject: string): void {
  if (process.platform === 'win32') return
  const wrong = (reason: string) => new ArgumentError(`${subject}: ${reason}`)
  if (uid !== 0 && uid !== process.geteuid?.()) {
    throw wrong(`expected a file of root or of whoever reads it, got one of user ${uid}`)
  }
  if ((mode & forbidden) === 0) return
  const got = `mode ${(mode & 0o777).toString(8).padStart(3, '0')}`
  throw wrong(`expected ${expected} (chmod 600), got ${got}`)
}

/**
 * Refuses a file that was read if it is not private enough for what was found in it.
 *
 * @throws ArgumentError as `readBounded` does.
 */
export async function requirePrivate(path: string, limits: Private, subject: string) {
  requireOwn(await stat(path), limits, subject)
}

const tooLong = ({ subject, what, most }: ReadOptions, size: number): ArgumentError =>
  new ArgumentError(`${subject}: expected ${what} of at most ${most} bytes, got ${size}`)

/** Counts while reading: the file may grow, and files in /proc have size 0. */
async function readUpTo(file: FileHandle, options: ReadOptions): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for (;;) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(CHUNK) })
    if (bytesRead === 0) return Buffer.concat(parts)
    size += bytesRead
    if (size > options.most) throw tooLong(options, size)
    parts.push(buffer.subarray(0, bytesRead))
  }
}

/** Bytes per read. */
const CHUNK = 2 ** 16
