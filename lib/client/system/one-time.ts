// A file with one-time sequences → the first, which is not in the file any more. Reads and replaces
// one file.
import { type FileHandle, open, realpath, rm, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArgumentError, KnockError } from '../../errors.js'
import { putInPlace } from '../../files/replace.js'
import { readDocument } from '../../files/spec-file.js'
import type { Step } from '../../spec/model/packet-model.js'

/** A profile's file, and which of its doors is knocked at. */
export interface OneTimeFile {
  readonly path: string
  readonly door: string | undefined
  /** Reads the sequences of the door out of the file's document. */
  read(document: unknown): Promise<readonly (readonly Step[])[]>
}

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
export async function takeSequence(from: OneTimeFile, operation: string): Promise<Taken> {
  const { path } = from
  try {
    // A link stays a link.
    const file = await realpath(path)
    const next = `${file}.next`
    // Whoever has made the file that comes next has the right to take: two never take the same.
    const handle = await makeAlone(next, operation)
    try {
      const { text, ...taken } = await takeFirst(file, from, operation)
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
async function takeFirst(
  file: string,
  { door, read }: OneTimeFile,
  operation: string,
): Promise<Taken & { text: string }> {
  const document = await readDocument(file, operation)
  const [steps, ...others] = await read(document)
  if (!steps) throw noneLeft(file, operation)
  const text = `${JSON.stringify(withoutFirst(document as OneTimePart, door), null, 2)}\n`
  return { steps, left: others.length, text }
}

interface OneTimePart {
  readonly oneTime?: readonly unknown[]
  readonly doors?: Readonly<Record<string, OneTimePart>>
}

function withoutFirst(part: OneTimePart, door: string | undefined): OneTimePart {
  if (part.oneTime) return { ...part, oneTime: part.oneTime.slice(1) }
  const { doors = {} } = part
  const own = Object.entries(doors).find(
    ([name, { oneTime }]) => oneTime && (door ?? name) === name,
  )
  if (!own) throw new Error('unreachable: a profile without the sequences that it was read with')
  const [name, one] = own
  return { ...part, doors: { ...doors, [name]: withoutFirst(one, name) } }
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
