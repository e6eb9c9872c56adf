// A profile's file → the profile, validated. Reads one file.
import type { KnockProfile } from '../spec/generated/client-types.js'
import { requireProfile } from './profile.js'
import { systemOf } from './system/system.js'

/**
 * Reads a client's profile, JSON or YAML, such as `{"steps": ["tcp/7000", "udp/8000"], "gap":
 * "200ms"}`. It keeps the steps out of the process list and the shell's history; the file should be
 * its owner's alone.
 *
 * @throws ProfileError with every problem of the profile.
 * @throws DocumentError if the file is neither JSON nor YAML.
 * @throws ArgumentError if the file cannot be read.
 */
export async function loadProfile(path: string): Promise<KnockProfile> {
  const system = await systemOf({}, 'loadProfile')
  return requireProfile(await system.readDocument(path), `loadProfile: ${path}`)
}
