// The name of a format → what writes a profile in it. A registry: a new format is a line here and a
// file beside it. Pure.
import type { KnockProfile } from '../spec/generated/client-types.js'
import { json, yaml } from './yaml-profile.js'

/** What a format may need beside the profile. */
export interface FormatContext {
  /** What the profile is called: for files, ssh's Host, comments. */
  readonly name: string
  /** Which door of a profile that has several. */
  readonly door?: string | undefined
  /** The bytes of the secret: given to a format that `needsSecret`, if the knock has one. */
  readonly secret?: Uint8Array | undefined
}

export interface ProfileFormat {
  /** In a few words, for the help. */
  readonly summary: string
  /** Whether what it writes holds the secret itself, so that the command reads the secret. */
  readonly needsSecret?: true
  /**
   * Writes the profile.
   *
   * @throws ArgumentError if the format cannot express it.
   */
  write(profile: KnockProfile, context: FormatContext): string | Promise<string>
}

export const FORMATS = { yaml, json } satisfies Record<string, ProfileFormat>

export type FormatName = keyof typeof FORMATS

export const formatOf = (name: string): ProfileFormat => FORMATS[name as FormatName]
