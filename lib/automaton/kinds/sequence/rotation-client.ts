// A sequence whose ports are derived from a secret and the time → the packets of its period. Pure.

import { periodAt } from '../../../spec/derive/derivation.js'
import { webPorts } from '../../../spec/derive/web.js'
import type { RotateProfile } from '../../../spec/generated/client-types.js'
import type { PortRange } from '../../../spec/model/packet-model.js'
import {
  atOnce,
  type ClientKind,
  conceal,
  count,
  readDoor,
  readSecretSource,
  requireSecret,
  type SecretSource,
  SILENCE,
} from '../../language/client-kind.js'
import { readRotationValues } from './rotation-values.js'

export interface RotatingKnock extends SecretSource {
  readonly kind: 'rotate'
  readonly door: string
  /** Seconds for which one sequence is valid. */
  readonly every: number
  readonly length: number
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
}

/** Seconds to wait after a period has begun: the host's clock may be behind. */
const LATE = 0.25

export const rotate: ClientKind<RotatingKnock, RotateProfile> = {
  read: (written, part) => ({
    kind: 'rotate',
    door: readDoor(written, part),
    ...readSecretSource(written, part),
    ...readRotationValues(written, part.path, part.findings),
  }),
  async plan(knock, { secret, now, gap }) {
    const { every, door } = knock
    const current = periodAt(now, every)
    const left = (current + 1) * every - now
    // The host may end a period up to a second early, since it works in whole seconds.
    const takes = (knock.length * gap) / 1000 + 1
    // A sequence that takes longer than its period can only be tried.
    const waits = left < takes && takes < every
    const period = waits ? current + 1 : current
    const ports = await webPorts(requireSecret(secret), door, period, knock)
    return { ...atOnce(conceal(ports)), delay: waits ? (left + LATE) * 1000 : 0 }
  },
  hasGap: true,
  describe: (packets) => `${count(packets, 'packet')} sent, the sequence of this time`,
  next: SILENCE,
  example:
    '{"rotate": {"door": "ssh", "secretFile": "/etc/knock/ssh.key", "every": "1h", ' +
    '"steps": 4, "ports": "20000-60000"}}',
}
