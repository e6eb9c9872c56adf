// A program at the client, with a hosts file of its own: one name for both addresses of the server.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Output } from '../machine/namespaces.js'
import { exec, SERVER } from '../machine/namespaces.js'

/** The server's name. */
export const NAME = 'server.example'

/**
 * Runs a program in a namespace, in which the server's name has its IPv4 and its IPv6 address.
 *
 * @param folder - where the hosts file is written.
 */
export async function runWithName(
  namespace: string,
  folder: string,
  argv: readonly string[],
): Promise<Output> {
  const file = join(folder, 'hosts')
  await writeFile(file, `127.0.0.1 localhost\n${SERVER[4]} ${NAME}\n${SERVER[6]} ${NAME}\n`)
  // Only this program and its children see the mount.
  const mount = 'mount --bind "$0" /etc/hosts && exec "$@"'
  return exec(namespace, 'unshare', ['--mount', 'sh', '-c', mount, file, ...argv], { cwd: folder })
}
