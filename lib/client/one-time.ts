// A file with one-time sequences → the first, which is not in the file any more. Reads and replaces
// one file.
import { type FileHandle, open, realpath, rm, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArgumentError, KnockError } from '../errors.js'
import { putInPlace } from '../files/replace.js'
import { readDocument } from '../files/spec-file.js'
import type { Step } from '../spec/model/model.js'
import { readProfile } from './profile.js'

interface Taken {
  readonly steps: readonly Step[]
  /** How many sequences the file has still. */
  readonly left: number
}

/** Milliseconds for which another process may be at it, and between two looks. */
const PATIENCE = 5000
const LOOK = 25

/**
 * Takes the first sequence out of a profile's file, for good: when this resolves the disk has the
 * file without it.
 *
 * @throws ProfileError if the file is no profile any more.
 * @throws ArgumentError if it has no sequence, or cannot be replaced.
 */
export async function takeSequence(path: string, operation: string): Promise<Taken> {
  try {
    // A link stays a link.
    const file = await realpath(path)
    const next = `${file}.next`
    // Whoever has made the file that comes next has the right to take: two never take the same.
    const handle = await makeAlone(next, operation)
    try {
      const { text, ...taken } = await takeFirst(file, operation)
      await keepOwner(handle, file)
      await putInPlace(handle, next, file, [text])
      return taken
    } catch (error) {
      await handle.close().catch(() => {})
      await rm(next, { force: true })
      throw error
    }
  } catch (cause) {
    if (cause instanceof KnockError) throw cause
    const reason = `no sequence can be taken: ${(cause as Error).message}`
    throw new ArgumentError(`${operation}: ${path}: ${reason}`, { cause })
  }
}

/** Reads the file again: another process may have taken a sequence since. */
async function takeFirst(file: string, operation: string): Promise<Taken & { text: string }> {
  const document = (await readDocument(file, operation)) as { oneTime?: readonly unknown[] }
  const { knock } = readProfile(document, `${operation}: ${file}`)
  const [steps, ...others] = knock.kind === 'oneTime' ? knock.sequences : []
  if (!steps) throw noneLeft(file, operation)
  const rest = { ...document, oneTime: document.oneTime?.slice(1) }
  return { steps, left: others.length, text: `${JSON.stringify(rest, null, 2)}\n` }
}

export const noneLeft = (path: string, operation: string): ArgumentError =>
  new ArgumentError(`${operation}: ${path}: /oneTime: no sequence is left; each has been sent`)

async function makeAlone(path: string, operation: string): Promise<FileHandle> {
  const end = performance.now() + PATIENCE
  while (true) {
    try {
      return await open(path, 'wx', 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (performance.now() > end) {
      const reason = 'another process is taking a sequence; remove this file if none is'
      throw new ArgumentError(`${operation}: ${path}: ${reason}`)
    }
    await sleep(LOOK)
  }
}

/** Gives a file another's mode and owner. */
async function keepOwner(handle: FileHandle, like: string): Promise<void> {
  const [own, { mode, uid, gid }] = await Promise.all([handle.stat(), stat(like)])
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid)
  await handle.chmod(mode & 0o777)
}
