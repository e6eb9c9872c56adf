// A network namespace and a table → the socket through which the table's keeper hands its events
// on. Reads the file system.
import { lstat, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * In a folder of its own: whoever may not enter it cannot reach the sockets, whatever their mode.
 */
export const FOLDER = '/run/knocklib'

/** @param netns - as `NftOptions` has it; empty: this process's own. */
export async function socketPath(netns: string, table: string, folder = FOLDER): Promise<string> {
  const file =
    netns === '' ? '/proc/self/ns/net' : netns.includes('/') ? netns : `/run/netns/${netns}`
  const { ino } = await stat(file)
  return join(folder, `${ino}-${table}.sock`)
}

/** @throws Error if the folder is not there and cannot be made, or is not safe. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700, recursive: true })
  await requireSafe(folder)
}

/** @throws Error if somebody else than root and this process's user could put a socket there. */
export async function requireSafe(folder: string): Promise<void> {
  const { uid, mode } = await lstat(folder).then((found) => {
    if (!found.isDirectory()) throw new Error(`${folder}: expected a folder`)
    return found
  })
  if ((uid !== 0 && uid !== process.geteuid?.()) || (mode & 0o022) !== 0) {
    throw new Error(`${folder}: expected a folder that root alone can write (chmod 700)`)
  }
}
