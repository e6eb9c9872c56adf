// The environment → a folder for locks and notes that is this user's alone. Makes it.
import { lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Longest path of a socket within the folder is 104 bytes on macOS, and its name takes 17. */
const LONGEST = 86

/** Bits of a mode: what others may do, and that only its owner removes a file of the folder. */
const [OTHERS, OTHERS_WRITE, STICKY] = [0o077, 0o022, 0o1000]

/**
 * Makes the folder if there is none: `knocklib` in $XDG_RUNTIME_DIR (XDG Base Directory
 * Specification), or `knocklib-UID` in the system's folder of temporary files.
 *
 * @returns undefined if neither can be trusted: another user owns it or can write to it, or it is
 * a symbolic link.
 */
export async function runtimeFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  temporary: string = tmpdir(),
): Promise<string | undefined> {
  const { XDG_RUNTIME_DIR: runtime } = env
  if (runtime && isAbsolute(runtime) && (await isOwn(runtime))) {
    const folder = await make(join(runtime, 'knocklib'))
    if (folder !== undefined) return folder
  }
  if (!(await keepsOwners(temporary))) return undefined
  return make(join(temporary, `knocklib-${process.getuid?.() ?? 'user'}`))
}

async function make(folder: string): Promise<string | undefined> {
  if (Buffer.byteLength(folder) > LONGEST) return undefined
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return undefined
  }
  return (await isOwn(folder)) ? folder : undefined
}

/** Whether it is a folder, and no link to one, that only this user can use. */
async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined)
  if (!found?.isDirectory()) return false
  // Windows has no such owners and modes: its folder of temporary files is the user's.
  if (!process.getuid) return true
  return found.uid === process.getuid() && (found.mode & OTHERS) === 0
}

/** Whether nobody but root can put another file in the place of one of ours. */
async function keepsOwners(folder: string): Promise<boolean> {
  const found = await stat(await realpath(folder).catch(() => folder)).catch(() => undefined)
  if (!found?.isDirectory()) return false
  if (!process.getuid) return true
  const isTrusted = found.uid === 0 || found.uid === process.getuid()
  return isTrusted && ((found.mode & OTHERS_WRITE) === 0 || (found.mode & STICKY) !== 0)
}
