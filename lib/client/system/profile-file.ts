// A profile's path → its document, and the secrets that it names. Reads files.
import { dirname, extname, resolve } from 'node:path'
import { readSecret } from '../../files/secrets.js'
import { readDocument } from '../../files/spec-file.js'

/** Reads a JSON or YAML file. */
export const readProfileFile = (path: string, operation: string): Promise<unknown> =>
  readDocument(path, operation)

export const isYaml = (path: string): boolean => ['.yaml', '.yml'].includes(extname(path))

/**
 * Reads the secret that a profile names: a path that is not absolute starts at the profile's
 * folder; that of a profile without a file at the current one.
 */
export const readSecretOf = (
  secretFile: string,
  profile: string | undefined,
  operation: string,
): Promise<Uint8Array> =>
  readSecret(profile === undefined ? secretFile : resolve(dirname(profile), secretFile), operation)
