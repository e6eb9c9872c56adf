// A profile's path → its document, and the secrets that it names. Reads files.
import path, { extname } from 'node:path'
import { readSecret } from '../../files/secrets.js'
import { readDocument } from '../../files/spec-file.js'

/** Reads a JSON or YAML file. */
export const readProfileFile = (path: string, operation: string): Promise<unknown> =>
  readDocument(path, operation)

export const isYaml = (path: string): boolean => ['.yaml', '.yml'].includes(extname(path))

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
