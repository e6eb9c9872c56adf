// The files that a spec names → the secrets in them. Reads files.
import { open } from 'node:fs/promises'
import type { Secrets } from './automaton/loads.js'
import { ArgumentError } from './errors.js'

/** The fewest bytes of a secret: what is shorter can be tried out by who has seen one token. */
const SHORTEST = 16
/** A secret's file is a line; what is longer is another file. */
const LONGEST = 4096

/**
 * Reads secrets: each is its file's content, without the line's end.
 *
 * @throws ArgumentError where a file cannot be read, is for others to read as well, or holds too little.
 */
export async function readSecrets(paths: readonly string[], operation: string): Promise<Secrets> {
  const secrets = await Promise.all(
    paths.map(async (path) => [path, await readSecret(path, operation)] as const),
  )
  return new Map(secrets)
}

/** @throws ArgumentError as `readSecrets`. */
export async function readSecret(path: string, operation: string): Promise<Uint8Array> {
  const wrong = (reason: string, cause?: unknown) =>
    new ArgumentError(`${operation}: ${path}: ${reason}`, { cause })
  const fail = (cause: unknown): never => {
    throw wrong(`the secret cannot be read: ${(cause as Error).message}`, cause)
  }
  const file = await open(path).catch(fail)
  try {
    const { mode, size } = await file.stat()
    if ((mode & 0o077) !== 0) {
      const got = `mode ${(mode & 0o777).toString(8).padStart(3, '0')}`
      throw wrong(`expected a secret that its owner alone can read (chmod 600), got ${got}`)
    }
    if (size > LONGEST) throw wrong(`expected a secret of at most ${LONGEST} bytes, got ${size}`)
    // A folder can be opened, and not be read.
    const content = await file.readFile().catch(fail)
    const secret = content.at(-1) === 0x0a ? content.subarray(0, -1) : content
    if (secret.length >= SHORTEST) return secret
    throw wrong(`expected a secret of at least ${SHORTEST} bytes, got ${secret.length}`)
  } finally {
    await file.close()
  }
}
