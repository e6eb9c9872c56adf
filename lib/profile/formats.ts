// The name of a format → what writes a profile in it. A registry: a new format is a line here and a
// file beside it. Pure.
import type { KnockProfile } from '../spec/generated/client-types.js'
import { knock, knocksettings } from './knock-command.js'
import { page } from './page.js'
import { qr } from './qr.js'
import { bash, powershell, sh } from './scripts.js'
import { sshConfig } from './ssh-config.js'
import { uri } from './uri.js'
import { json, yaml } from './yaml-profile.js'

/** What a format may need beside the profile. */
export interface FormatContext {
  /** What the profile is called: for files, ssh's Host, comments. */
  readonly name: string
  /** Which door of a profile that has several. */
  readonly door?: string | undefined
  /** The bytes of the secret: given to a format that `needsSecret`, if the knock has one. */
  readonly secret?: Uint8Array | undefined
  /** The URL of the page that a link with the secret opens. */
  readonly page?: string | undefined
  /** The script of a page. */
  readonly script?: string | undefined
  /** Where a page leads when the door is open. */
  readonly link?: string | undefined
  /** Columns of the terminal that shows what is written. Absent: no terminal does. */
  readonly columns?: number | undefined
  /** Whether what is written goes into a file that the user has named. */
  readonly isFile?: boolean | undefined
}

export interface ProfileFormat {
  /** In a few words, for the help. */
  readonly summary: string
  /** Whether what it writes holds the secret itself, so that the command reads the secret. */
  readonly needsSecret?: true
  /** Whether it is a page: its profile has addresses, since no browser looks up names. */
  readonly isPage?: true
  /**
   * Writes the profile.
   *
   * @throws ArgumentError if the format cannot express it.
   */
  write(profile: KnockProfile, context: FormatContext): string | Promise<string>
}

export const FORMATS = {
  yaml,
  json,
  sh,
  bash,
  powershell,
  'ssh-config': sshConfig,
  knock,
  knocksettings,
  uri,
  qr,
  page,
} satisfies Record<string, ProfileFormat>

export type FormatName = keyof typeof FORMATS

export const formatOf = (name: string): ProfileFormat => FORMATS[name as FormatName]
