// A spec's file → warnings if others can read knocks in it that are secrets, or can write it. Looks
// at the file and its folders.
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { secretFilesOf } from '../../automaton/kinds/kinds.js'
import type { ValidSpec, Warning } from '../../index.js'
import { quoted } from '../../text/printable.js'

/** Permission bits, of a file and of a folder on the way to it. */
const [READ, WRITE, ENTER] = [0o4, 0o2, 0o1]

/**
 * Warns of a file that others may read or write. Some knocks have their secrets in files of their
 * own; every other knock opens the door to whoever has read it. Nothing is said of a file that
 * cannot be looked at.
 *
 * @throws SpecError with every problem of the spec.
 */
export async function findExposure(path: string, spec: ValidSpec): Promise<Warning[]> {
  const mode = await reachableMode(path)
  const may = (bit: number) => ((mode | (mode >> 3)) & bit) !== 0
  if (!may(READ) && !may(WRITE)) return []
  const knocks = spec.doors.flatMap((door) => door.knocks)
  const [heard] = knocks.filter((knock) => secretFilesOf(knock).length === 0)
  const file = `the spec's file ${quoted(path)}`
  return [
    ...(heard && may(READ)
      ? [
          {
            id: 'spec-readable',
            path: heard.origin,
            message:
              `${file} can be read by other users, and this ${heard.type} opens the door to ` +
              'whoever knows it: chmod 600 it',
          },
        ]
      : []),
    ...(may(WRITE)
      ? [
          {
            id: 'spec-writable',
            path: '',
            message: `${file} can be written by other users, and says who is let in: chmod 600 it`,
          },
        ]
      : []),
  ]
}

/**
 * What the group and all others may do with a file: only if they may enter each folder on the way.
 * 0 if nobody knows.
 */
async function reachableMode(path: string): Promise<number> {
  try {
    const real = await realpath(path)
    const { mode } = await stat(real)
    let entered = ENTER | (ENTER << 3)
    for (let folder = dirname(real); ; folder = dirname(folder)) {
      // A member of the file's group may be one of the others to a folder.
      const { mode: own } = await stat(folder)
      entered &= (own & ENTER) | ((own | (own << 3)) & (ENTER << 3))
      if (folder === dirname(folder)) break
    }
    return mode & (entered * (READ | WRITE))
  } catch {
    return 0
  }
}
