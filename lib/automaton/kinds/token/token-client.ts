// A secret and the time → the packet with the token of the period. Pure.
import { payloadOf, tokenText } from '../../../spec/derive/carrier.js'
import { LEAST_PERIOD, periodAt } from '../../../spec/derive/derivation.js'
import { webToken } from '../../../spec/derive/web.js'
import type { TokenProfile } from '../../../spec/generated/client-types.js'
import type { Carrier } from '../../../spec/model/model.js'
import { readDuration, readKnockPort, readValue } from '../../../spec/model/read-values.js'
import { formatStep } from '../../../spec/model/step.js'
import {
  atOnce,
  type ClientKind,
  readDoor,
  readSecretSource,
  requireSecret,
  type SecretSource,
  SILENCE,
} from '../../language/client-kind.js'

export interface TokenKnock extends SecretSource {
  readonly kind: 'token'
  readonly door: string
  /** A UDP port. */
  readonly port: number
  readonly carrier: Carrier
  /** Seconds for which one token is valid. */
  readonly period: number
}

/** The default for `period`, in seconds. */
const DEFAULT_PERIOD = 30

export const token: ClientKind<TokenKnock, TokenProfile> = {
  read: ({ period = DEFAULT_PERIOD, ...written }, part) => ({
    kind: 'token',
    door: readDoor(written, part),
    ...readSecretSource(written, part),
    port: readKnockPort(written.port, `${part.path}/port`, part.findings).port,
    carrier: readValue(written.carrier, `${part.path}/carrier`, 'udp', part.findings),
    period: readDuration(period, `${part.path}/period`, part.findings, LEAST_PERIOD),
  }),
  async plan({ door, port, period, carrier }, { secret, now, family, id }) {
    const made = await webToken(requireSecret(secret), door, periodAt(now, period), family)
    const step = { protocol: 'udp', port } as const
    const fragment = carrier === 'stun' ? tokenText(carrier, made) : undefined
    const payload = payloadOf(carrier, made, id)
    return atOnce([
      { step, label: formatStep(step), payload, ...(fragment !== undefined && { fragment }) },
    ])
  },
  hasGap: false,
  describe: () => 'a token sent',
  next: SILENCE,
  example:
    '{"token": {"door": "ssh", "port": "udp/6000", "secretFile": ' +
    '"/etc/knock/ana.key", "period": "30s"}}',
}
