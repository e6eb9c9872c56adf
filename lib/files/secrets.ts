// The files that a spec names → their secrets. Reads files.
import type { Secrets } from '../automaton/language/loads.js'
import { ArgumentError } from '../errors.js'
import { readBounded } from './read.js'

/**
 * The shortest secret in bytes. Whoever has seen one token could guess a shorter one by trying all.
 */
const SHORTEST = 16
/** The largest file in bytes. A secret is one line, so a larger file is the wrong file. */
const LONGEST = 4096

/**
 * Reads secrets: each is the content of its file without the final newline.
 *
 * @throws ArgumentError if a file is no regular file, is not owned by root or the reader, can be
 * read by others, cannot be read in time, or is too short.
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
