// A secret and the time → the packet with the token of the period. Pure.
import type { TokenProfile } from '../../../spec/generated/client-types.js'
import { deriveToken, LEAST_PERIOD, periodAt } from '../../../spec/model/derive.js'
import { readDuration, readKnockPort, readValue } from '../../../spec/model/read-values.js'
import { formatStep } from '../../../spec/model/step.js'
import { atOnce, type ClientKind, requireSecret, SILENCE } from '../../language/client-kind.js'

export interface TokenKnock {
  readonly kind: 'token'
  readonly door: string
  readonly secretFile: string
  /** A UDP port. */
  readonly port: number
  /** Seconds for which one token is valid. */
  readonly period: number
}

/** The default for `period`, in seconds. */
const DEFAULT_PERIOD = 30

export const token: ClientKind<TokenKnock, TokenProfile> = {
  read: ({ period = DEFAULT_PERIOD, ...written }, findings) => ({
    kind: 'token',
    door: readValue(written.door, '/token/door', '', findings),
    secretFile: readValue(written.secretFile, '/token/secretFile', '', findings),
    port: readKnockPort(written.port, '/token/port', findings).port,
    period: readDuration(period, '/token/period', findings, LEAST_PERIOD),
  }),
  plan({ door, port, period }, { secret, now }) {
    const payload = deriveToken(requireSecret(secret), door, periodAt(now, period))
    const step = { protocol: 'udp', port } as const
    return atOnce([{ step, label: formatStep(step), payload }])
  },
  hasGap: false,
  describe: () => `a token sent; ${SILENCE}`,
  example:
    '{"token": {"door": "ssh", "port": "udp/6000", "secretFile": ' +
    '"/etc/knock/ana.key", "period": "30s"}}',
}
