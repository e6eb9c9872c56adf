// A prepared knock and how it is sent → what its connections share: one turn, and one note.
import { createHash } from 'node:crypto'
import { readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { PreparedKnock, SendOptions } from '../send.js'
import { type Note, readNote, writeNote } from './note.js'
import { runtimeFolder } from './runtime-folder.js'
import { type Turn, takeTurn } from './turns.js'

/** Of the connections that one knock opens the door for. */
export interface Shared {
  note(): Promise<Note | undefined>
  /** Writes a note in the place of the one before; keeps of that what is not given. */
  write(note: Omit<Note, 'written'>): Promise<void>
  /** Takes the turn; undefined if another connection had it and has ended it. */
  turn(): Promise<Turn | undefined>
}

export interface SharedOptions extends SendOptions {
  /** What is sent, or the path of the file that says it. */
  readonly profile: unknown
  /** Milliseconds for which one and the same other connection is waited for. */
  readonly patience: number
  /** Called when another connection is waited for. */
  readonly onWait: () => void
}

/** Without a folder that can be trusted each connection knocks for itself. */
const ALONE: Shared = {
  note: async () => undefined,
  write: async () => {},
  turn: async () => ({ end() {} }),
}

export async function sharedOf(prepared: PreparedKnock, options: SharedOptions): Promise<Shared> {
  const folder = await runtimeFolder()
  if (folder === undefined) return ALONE
  const name = await nameOf(prepared, options)
  const path = join(folder, `${name}.note`)
  const { patience, signal, onWait } = options
  return {
    note: () => readNote(path),
    async write(note) {
      const before = await readNote(path)
      const token = note.token ?? before?.token
      const written = Date.now()
      const whole = { ...note, written, ...(token !== undefined && { token }) }
      // A disk that is full keeps nobody from knocking.
      await writeNote(path, whole).catch(() => {})
    },
    async turn() {
      try {
        return await takeTurn(folder, name, { patience, signal, onWait })
      } catch {
        signal?.throwIfAborted()
        return ALONE.turn()
      }
    },
  }
}

/** What has the same name shares a grant: the same profile, door, host and way out. */
async function nameOf(
  { file, host, door }: PreparedKnock,
  { profile, family, source, interface: outlet }: SharedOptions,
): Promise<string> {
  const what = file === undefined ? profile : await realpath(file)
  // Of Linux: another network namespace is another network.
  const network = await readlink('/proc/self/ns/net').catch(() => '')
  const parts = [what, door, host, family, source, outlet, network].map((part) => part ?? null)
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}
