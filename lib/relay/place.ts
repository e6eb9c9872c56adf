// A network namespace and a table → the path of the socket where the table's keeper relays its
// events. Reads the file system.
import { lstat, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A folder of its own: without permission to enter it nobody reaches the sockets, whatever their
 * mode.
 */
export const FOLDER = '/run/knocklib'

/**
 * Returns the socket's path.
 *
 * @param netns - as in `NftOptions`; empty: this process's own.
 */
export async function socketPath(netns: string, table: string, folder = FOLDER): Promise<string> {
  const file =
    netns === '' ? '/proc/self/ns/net' : netns.includes('/') ? netns : `/run/netns/${netns}`
  const { ino } = await stat(file)
  return join(folder, `${ino}-${table}.sock`)
}

/**
 * Makes the folder if it is missing.
 *
 * @throws Error if it cannot be made, or is not safe.
 */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700, recursive: true })
  await requireSafe(folder)
}

/**
 * Requires that only root and this process's user can put a socket into a folder.
 *
 * @throws Error if others can, or it is no folder.
 */
export async function requireSafe(folder: string): Promise<void> {
  const { uid, mode } = await lstat(folder).then((found) => {
    if (!found.isDirectory()) throw new Error(`${folder}: expected a folder`)
    return found
  })
  if ((uid !== 0 && uid !== process.geteuid?.()) || (mode & 0o022) !== 0) {
    throw new Error(`${folder}: expected a folder that only root can write (chmod 700)`)
  }
}
