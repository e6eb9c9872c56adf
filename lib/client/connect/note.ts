// What one connection leaves for the next: how long a grant stands, which token was sent, what
// failed. Reads and replaces one file.
import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'

/** Times are milliseconds since 1970. */
export interface Note {
  /** When it was written. */
  readonly written: number
  /** The addresses that were knocked at, and what came of it. */
  readonly outcome?:
    | {
        readonly verdict: 'open'
        readonly addresses: readonly string[]
        /** The address of this machine that the grant is for. */
        readonly source: string
        /** Until when the grant stands; absent: nobody knows. */
        readonly until?: number
      }
    | { readonly verdict: 'refused' | 'filtered' }
  /** The number of the period whose token was sent last. */
  readonly token?: number
}

/**
 * Milliseconds before the end of a grant in which it does not count: a SYN that is lost is late.
 */
export const MARGIN = 2000

/**
 * Whether a connection can do without a knock: the grant still stands, or it was made while the
 * connection waited for it.
 *
 * @param since - when the connection began.
 */
export function standsBy({ written, outcome }: Note, since: number, now: number): boolean {
  if (outcome?.verdict !== 'open' || !isOwnAddress(outcome.source)) return false
  // The clock was put back.
  if (written > now) return false
  return written >= since || (outcome.until !== undefined && now < outcome.until - MARGIN)
}

/** A machine that is in another network has another address, and no grant. */
const isOwnAddress = (source: string): boolean =>
  Object.values(networkInterfaces()).some((addresses) =>
    // A link-local one bears its zone in a socket, as in `fe80::1%eth0`.
    addresses?.some(({ address }) => address === source.split('%')[0]),
  )

/** @returns undefined if there is none, or none that can be read. */
export async function readNote(path: string): Promise<Note | undefined> {
  try {
    const note: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isNote(note) ? note : undefined
  } catch {
    return undefined
  }
}

function isNote(note: unknown): note is Note {
  if (typeof note !== 'object' || note === null) return false
  const { written, outcome } = note as Note
  if (!Number.isFinite(written)) return false
  return outcome === undefined || outcome.verdict !== 'open' || Array.isArray(outcome.addresses)
}

/** Replaces the note, so that whoever reads it reads all of it. */
export async function writeNote(path: string, note: Note): Promise<void> {
  const next = `${path}.${randomBytes(4).toString('hex')}`
  await writeFile(next, JSON.stringify(note), { mode: 0o600, flag: 'wx' })
  await rename(next, path)
}
