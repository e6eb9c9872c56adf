// A spec's file → warnings if other users can write it, or can read secret knocks in it. Reads the
// modes of the file and its folders.
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { secretFilesOf } from '../../automaton/kinds/kinds.js'
import type { ValidSpec, Warning } from '../../index.js'
import { quoted } from '../../text/printable.js'

/** Permission bits of a file, and of a folder above it. */
const [READ, WRITE, ENTER] = [0o4, 0o2, 0o1]

/**
 * Warns of a file that other users may read or write. Some knocks keep their secrets in files of
 * their own; any other knock opens the door to everybody who can read it. Says nothing if the
 * file's mode cannot be read.
 */
export async function findExposure(path: string, spec: ValidSpec): Promise<Warning[]> {
  const mode = await reachableMode(path)
  const may = (bit: number) => ((mode | (mode >> 3)) & bit) !== 0
  if (!may(READ) && !may(WRITE)) return []
  const knocks = spec.doors.flatMap((door) => door.knocks)
  const [heard] = knocks.filter((knock) => secretFilesOf(knock).length === 0)
  const file = `the spec's file ${quoted(path)}`
  const posted = spec.actions.find(({ does }) => 'post' in does)
  return [
    ...(posted && !heard && may(READ)
      ? [
          {
            id: 'spec-readable',
            path: posted.origin,
            message:
              `${file} can be read by other users, and the address of this post may be a ` +
              'secret: chmod 600 it',
          },
        ]
      : []),
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
 * Returns the permission bits of the group and of others, if they may also enter each folder above
 * the file. 0 if that is unknown.
 */
async function reachableMode(path: string): Promise<number> {
  try {
    const real = await realpath(path)
    const { mode } = await stat(real)
    let entered = ENTER | (ENTER << 3)
    for (let folder = dirname(real); ; folder = dirname(folder)) {
      // A member of the file's group may count as `others` for a folder.
      const { mode: own } = await stat(folder)
      entered &= (own & ENTER) | ((own | (own << 3)) & (ENTER << 3))
      if (folder === dirname(folder)) break
    }
    return mode & (entered * (READ | WRITE))
  } catch {
    return 0
  }
}
