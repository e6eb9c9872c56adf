// A profile → a page with which any browser opens its door. Pure.
import { refusingBrowsers } from '../automaton/kinds/token/browser-ports.js'
import type { PageSettings } from '../client/page/settings.js'
import { readProfile, type ValidProfile } from '../client/profile.js'
import { ArgumentError } from '../errors.js'
import type { FormatContext, ProfileFormat } from './formats.js'
import { renderPage } from './page/html.js'

const SUBJECT = 'profile: --format page'

export const page: ProfileFormat = {
  summary: 'a page with which any browser knocks (carrier stun); without the secret',
  isPage: true,
  async write(profile, context) {
    const settings = settingsOf(await readProfile(profile, SUBJECT, context.door), context)
    return renderPage(settings, context.script ?? '')
  },
}

/**
 * Takes what a page needs out of a profile.
 *
 * @throws ArgumentError if no browser can send the knock.
 */
export function settingsOf(
  profile: ValidProfile,
  { link }: Pick<FormatContext, 'link'>,
): PageSettings {
  const { knock, host = '', addresses = [], port, lasts } = profile
  if (knock.kind !== 'token' || knock.carrier !== 'stun') {
    const got = knock.kind === 'token' ? `carrier ${knock.carrier}` : knock.kind
    throw new ArgumentError(`${SUBJECT}: expected a token with carrier stun, got ${got}`)
  }
  const refusing = refusingBrowsers(knock.port)
  if (refusing !== undefined) {
    throw new ArgumentError(`${SUBJECT}: ${refusing} to udp/${knock.port}: take another port`)
  }
  if (link !== undefined && !/^https?:\/\/[^\s<>"]+$/.test(link)) {
    throw new ArgumentError(`${SUBJECT}: --link: expected an http or https URL, got ${link}`)
  }
  return {
    host,
    door: knock.door,
    addresses: addresses.map(({ address }) => address),
    knockPort: knock.port,
    period: knock.period,
    ...(port !== undefined && { port }),
    ...(lasts !== undefined && { lasts }),
    ...(link !== undefined && { link }),
  }
}
