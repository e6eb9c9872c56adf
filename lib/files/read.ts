// A path → the bytes of the file there, bounded in size and in time; what is no file is refused.
// Reads one file.
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArgumentError } from '../errors.js'
import { kindOf } from './replace.js'

interface ReadOptions {
  /** What an error's message begins with, as in `loadState: /var/lib/knocklib/state.json`. */
  readonly subject: string
  /** What it is, for errors: `the secret`. */
  readonly what: string
  /** The most bytes. */
  readonly most: number
  /**
   * Permission bits that it may not have, and what to say of that. Given, it must be root's or the
   * reader's own.
   */
  readonly private?: { readonly forbidden: number; readonly expected: string }
}

/** Milliseconds for all of it: a file system may never answer. */
const PATIENCE = 10_000

/**
 * Reads a file whole. A link is followed. A pipe, a device, a socket and a directory are refused
 * before they are opened.
 *
 * @returns undefined if nothing has that name.
 * @throws ArgumentError if it is no file, too large, not private if it must be, cannot be read,
 * or takes too long.
 */
export async function readBounded(path: string, options: ReadOptions): Promise<Buffer | undefined> {
  const { subject, what } = options
  const ended = new AbortController()
  const late = sleep(PATIENCE, undefined, { signal: ended.signal, ref: false }).then(() => {
    throw new Error(`the file system did not answer within ${PATIENCE / 1000} s`)
  })
  // When it is ended nobody waits for it any more.
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
  // Some devices act when they are opened.
  requireFile(await stat(path), options)
  // It may be another one by now: a pipe that nobody writes would be waited for.
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
  if (!isPrivate) return
  const { uid, mode } = found
  if (uid !== 0 && uid !== process.geteuid?.()) {
    throw wrong(`expected a file of root or of whoever reads it, got one of user ${uid}`)
  }
  if ((mode & isPrivate.forbidden) === 0) return
  const got = `mode ${(mode & 0o777).toString(8).padStart(3, '0')}`
  throw wrong(`expected ${isPrivate.expected} (chmod 600), got ${got}`)
}

const tooLong = ({ subject, what, most }: ReadOptions, size: number): ArgumentError =>
  new ArgumentError(`${subject}: expected ${what} of at most ${most} bytes, got ${size}`)

/** It may grow while it is read, and files of /proc say that they are empty. */
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

/** Bytes that are read at once. */
const CHUNK = 2 ** 16
