// A sequence whose ports are derived from a secret and the time → the packets of its period. Pure.
import type { RotateProfile } from '../../../spec/generated/client-types.js'
import { derivePorts, periodAt } from '../../../spec/model/derive.js'
import type { PortRange } from '../../../spec/model/model.js'
import { readDuration, readValue } from '../../../spec/model/read-values.js'
import {
  atOnce,
  type ClientKind,
  conceal,
  count,
  requireSecret,
  SILENCE,
} from '../../language/client-kind.js'
import { LEAST_EVERY, readRange } from './read-sequence.js'

export interface RotatingKnock {
  readonly kind: 'rotate'
  readonly door: string
  readonly secretFile: string
  /** Seconds for which one sequence is valid. */
  readonly every: number
  readonly length: number
  readonly protocol: 'tcp' | 'udp'
  readonly ports: PortRange
}

/** Seconds to wait after a period has begun: the host's clock may be behind. */
const LATE = 0.25

export const rotate: ClientKind<RotatingKnock, RotateProfile> = {
  read: (written, findings) => ({
    kind: 'rotate',
    door: readValue(written.door, '/rotate/door', '', findings),
    secretFile: readValue(written.secretFile, '/rotate/secretFile', '', findings),
    every: readDuration(written.every, '/rotate/every', findings, LEAST_EVERY),
    length: readValue(written.steps, '/rotate/steps', 2, findings),
    protocol: readValue(written.protocol, '/rotate/protocol', 'tcp' as const, findings),
    ports: readRange(written.ports, '/rotate/ports', findings),
  }),
  plan(knock, { secret, now, gap }) {
    const { every, door } = knock
    const current = periodAt(now, every)
    const left = (current + 1) * every - now
    // The host may end a period up to a second early, since it works in whole seconds.
    const takes = (knock.length * gap) / 1000 + 1
    // A sequence that takes longer than its period can only be tried.
    const waits = left < takes && takes < every
    const ports = derivePorts(requireSecret(secret), door, waits ? current + 1 : current, knock)
    return { ...atOnce(conceal(ports)), delay: waits ? (left + LATE) * 1000 : 0 }
  },
  hasGap: true,
  describe: (packets) => `${count(packets, 'packet')} sent, the sequence of this time; ${SILENCE}`,
  example:
    '{"rotate": {"door": "ssh", "secretFile": "/etc/knock/ssh.key", "every": "1h", ' +
    '"steps": 4, "ports": "20000-60000"}}',
}
