// A profile and its secret → a URI. Pure.
import { profileToUri } from '../client/uri.js'
import { ArgumentError } from '../errors.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import type { FormatContext, ProfileFormat } from './formats.js'

export const uri: ProfileFormat = {
  summary: 'one line that holds the secret, for knocklib profile -',
  needsSecret: true,
  async write(profile, context) {
    return `${await writeUri(profile, context, 'uri')}\n`
  },
}

/**
 * Writes the URI; or, if a page is named, the link of that page with the secret behind it.
 *
 * @throws ArgumentError if the secret is no text, or the page is named and there is no secret.
 */
export async function writeUri(
  profile: KnockProfile,
  { door, secret, page }: FormatContext,
  format: string,
): Promise<string> {
  const text = secret ? textOf(secret, format) : secretIn(profile)
  if (page === undefined) {
    return profileToUri(text === undefined ? profile : withSecret(profile, text), { door })
  }
  if (!/^(https?|file):\/\/[^\s#]+$/.test(page)) {
    const expected = 'the URL of a page, without #'
    throw new ArgumentError(`profile: --page: expected ${expected}, got ${page}`)
  }
  if (text === undefined) {
    throw new ArgumentError('profile: --page: expected a knock that has a secret')
  }
  return `${page}#secret=${encodeURIComponent(text)}`
}

/** The secret of a profile that came as a URI. */
const secretIn = (profile: KnockProfile): string | undefined =>
  [profile.token, profile.rotate].find((part) => part?.secret !== undefined)?.secret

function textOf(secret: Uint8Array, format: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(secret)
  } catch {
    const expected = 'a secret that is text in UTF-8, such as openssl rand -base64 24 writes'
    throw new ArgumentError(`profile: --format ${format}: expected ${expected}, got other bytes`)
  }
}

/** Puts the secret in the place of its file. */
const withSecret = (profile: KnockProfile, secret: string): KnockProfile =>
  Object.fromEntries(
    Object.entries(profile).map(([key, part]) => {
      if (typeof part !== 'object' || !('secretFile' in part)) return [key, part]
      const { secretFile: _, ...others } = part
      return [key, { ...others, secret }]
    }),
  )
