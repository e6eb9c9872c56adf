// The files that a spec names → the secrets in them. Reads files.
import type { Secrets } from '../automaton/language/loads.js'
import { ArgumentError } from '../errors.js'
import { readBounded } from './read.js'

/** The fewest bytes of a secret: what is shorter can be tried out by who has seen one token. */
const SHORTEST = 16
/** A secret's file is a line; what is longer is another file. */
const LONGEST = 4096

/**
 * Reads secrets: each is its file's content, without the line's end.
 *
 * @throws ArgumentError if a file is no regular file, belongs to neither root nor the reader, is
 * for others to read as well, cannot be read in time, or holds too little.
 */
export async function readSecrets(paths: readonly string[], operation: string): Promise<Secrets> {
  const secrets = await Promise.all(
    paths.map(async (path) => [path, await readSecret(path, operation)] as const),
  )
  return new Map(secrets)
}

/** @throws ArgumentError as `readSecrets`. */
export async function readSecret(path: string, operation: string): Promise<Uint8Array> {
  const subject = `${operation}: ${path}`
  const content = await readBounded(path, {
    subject,
    what: 'a secret',
    most: LONGEST,
    private: { forbidden: 0o077, expected: 'a secret that its owner alone can read' },
  })
  if (!content)
    throw new ArgumentError(
      `${subject}: the secret cannot be read: ENOENT: no such file or directory`,
    )
  const secret = content.at(-1) === 0x0a ? content.subarray(0, -1) : content
  if (secret.length >= SHORTEST) return secret
  const expected = `expected a secret of at least ${SHORTEST} bytes`
  throw new ArgumentError(`${subject}: ${expected}, got ${secret.length}`)
}
