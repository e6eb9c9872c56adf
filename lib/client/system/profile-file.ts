// A profile's path → its document, and the secrets that it names. Reads files.
import path from 'node:path'
import { requirePrivate } from '../../files/read.js'
import { readSecret } from '../../files/secrets.js'
import { readDocument } from '../../files/spec-file.js'

/**
 * Reads a JSON or YAML file.
 *
 * @throws ArgumentError if it has a secret in it and others than its owner may read it.
 */
export async function readProfileFile(path: string, operation: string): Promise<unknown> {
  const document = await readDocument(path, operation)
  if (hasSecret(document)) await requirePrivate(path, PRIVATE, `${operation}: ${path}`)
  return document
}

const PRIVATE = {
  forbidden: 0o077,
  expected: 'a profile with a secret that its owner alone can read',
}

/** Whether a part of a document has the key, at any depth: it is not validated yet. */
const hasSecret = (part: unknown): boolean =>
  typeof part === 'object' &&
  part !== null &&
  Object.entries(part).some(([key, value]) => key === 'secret' || hasSecret(value))

/**
 * Finds the file of a profile's secret: a path that is not absolute starts at the profile's folder;
 * that of a profile without a file at the current one.
 *
 * @param paths - node:path of the system.
 */
export const secretPath = (
  secretFile: string,
  profile: string | undefined,
  { dirname, resolve }: Pick<typeof path, 'dirname' | 'resolve'> = path,
): string => (profile === undefined ? secretFile : resolve(dirname(profile), secretFile))

/** Reads the secret that a profile names. */
export const readSecretOf = (
  secretFile: string,
  profile: string | undefined,
  operation: string,
): Promise<Uint8Array> => readSecret(secretPath(secretFile, profile), operation)
