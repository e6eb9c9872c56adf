// A process of ssh → when it is connected, or how it ended; and a folder for its socket. Makes and
// removes folders.
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Piped } from '../process/launch.js'
import { sinceStart } from './remote-command.js'

/** How ssh ended before the command there was started. */
export interface SshEnding {
  /** The system's code if ssh could not be started: `ENOENT`. */
  readonly code?: string | undefined
  readonly exitCode?: number | undefined
  readonly stderr: string
}

/** The connection did not come about. */
export class NotConnected extends Error {
  readonly ending: SshEnding

  constructor(ending: SshEnding) {
    super('ssh did not connect')
    this.ending = ending
  }
}

/** The most characters that are kept of what a process says. */
const MOST = 65_536

/** Resolves with how the process ended. Never rejects. */
export function endOf(child: Piped): Promise<SshEnding> {
  const said = collect(child.stderr)
  return new Promise((resolve) => {
    child.once('error', ({ code = 'EAGAIN' }: NodeJS.ErrnoException) => {
      resolve({ code, stderr: said.text })
    })
    child.once('close', (exitCode) =>
      resolve({ exitCode: exitCode ?? undefined, stderr: said.text }),
    )
  })
}

/**
 * Resolves when the shell at the other end has started the command.
 * @throws NotConnected if the process ends before.
 */
export async function untilStarted(child: Piped, ended: Promise<SshEnding>): Promise<void> {
  const said = collect(child.stdout)
  const started = new Promise<void>((resolve) => {
    child.stdout.on('data', () => sinceStart(said.text) !== undefined && resolve())
  })
  const failed = ended.then((ending) => {
    throw new NotConnected(ending)
  })
  await Promise.race([started, failed])
}

function collect(stream: Piped['stdout']): { text: string } {
  const said = { text: '' }
  stream.setEncoding('utf8').on('data', (part: string) => {
    said.text = (said.text + part).slice(-MOST)
  })
  return said
}

/** Folders that are still there. */
const folders = new Set<string>()
let isArmed = false

/** A path of a socket may have some hundred bytes, and ssh adds to it. */
const LONGEST_FOLDER = 60

/** Makes a folder that only its owner can enter. It is removed with this process at the latest. */
export async function makeFolder(): Promise<string> {
  if (!isArmed) process.once('exit', () => folders.forEach(removeFolder))
  isArmed = true
  const base = tmpdir().length > LONGEST_FOLDER ? '/tmp' : tmpdir()
  const folder = await mkdtemp(join(base, 'knocklib-'))
  folders.add(folder)
  return folder
}

export function removeFolder(folder: string): void {
  folders.delete(folder)
  rmSync(folder, { recursive: true, force: true })
}
