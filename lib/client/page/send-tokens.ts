// A page's settings and its user's secret → the tokens of this time, sent to every address. Touches
// the network.
import { tokenText } from '../../spec/derive/carrier.js'
import { periodAt } from '../../spec/derive/derivation.js'
import { webToken } from '../../spec/derive/web.js'
import { browserSystem } from '../system/browser.js'
import type { PageSettings } from './settings.js'

export interface SentTokens {
  /** The number of the period whose tokens were sent. */
  readonly period: number
  /** Milliseconds since 1970 from which the next period has other tokens. */
  readonly next: number
  /** The addresses that were knocked at. */
  readonly reached: readonly string[]
  /** Why each of the others was not. */
  readonly failed: readonly string[]
}

/** Sends a token to every address, of each family its own. */
export async function sendTokens(
  { door, addresses, knockPort, period }: PageSettings,
  secret: Uint8Array,
  now: number,
): Promise<SentTokens> {
  const system = browserSystem('knock')
  const number = periodAt(now / 1000, period)
  const send = async (address: string): Promise<void> => {
    const family = address.includes(':') ? 6 : 4
    const fragment = tokenText('stun', await webToken(secret, door, number, family)) as string
    const step = { protocol: 'udp', port: knockPort } as const
    await system.senderTo({ family, address })({ step, label: address, fragment }).over
  }
  const results = await Promise.allSettled(addresses.map(send))
  return {
    period: number,
    next: (number + 1) * period * 1000,
    reached: addresses.filter((_, index) => results[index]?.status === 'fulfilled'),
    failed: results.flatMap((result, index) =>
      result.status === 'rejected' ? `${addresses[index]}: ${result.reason.message}` : [],
    ),
  }
}
