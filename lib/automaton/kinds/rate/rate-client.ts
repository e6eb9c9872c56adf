// A rate, as a profile writes it → packets close together, and the time for the connection. Pure.
import type { RateProfile } from '../../../spec/generated/client-types.js'
import type { KnockPort } from '../../../spec/model/packet-model.js'
import {
  readDuration,
  readKnockPort,
  readPause,
  readValue,
} from '../../../spec/model/read-values.js'
import { type ClientKind, count, shotAt } from '../../language/client-kind.js'

export interface RateKnock {
  readonly kind: 'rate'
  readonly port: KnockPort
  readonly hits: number
  /** Seconds from the first hit, within which the connection must come. */
  readonly min: number
  readonly max?: number
}

/**
 * Milliseconds between packets to the same port. Their order does not matter, but some networks
 * drop bursts.
 */
const PACE = 20

/**
 * Seconds by which the connection is later than `min`: its packet may be faster than those before.
 */
const MARGIN = 0.5
const LONGEST_MARGIN = 1

export const rate: ClientKind<RateKnock, RateProfile> = {
  read(written, { path, findings }) {
    const min = readPause(written.min, `${path}/min`, 0, findings)
    const max =
      written.max === undefined ? {} : { max: readDuration(written.max, `${path}/max`, findings) }
    if (max.max !== undefined && max.max <= min) findings.add(`${path}/max`, 'a time after min')
    return {
      kind: 'rate',
      port: readKnockPort(written.port, `${path}/port`, findings),
      hits: readValue(written.hits, `${path}/hits`, 1, findings),
      min,
      ...max,
    }
  },
  plan({ port, hits, min, max }) {
    const shots = Array.from({ length: hits }, (_, index) => shotAt(port, index * PACE))
    const margin = max === undefined ? MARGIN : Math.min((max - min) / 2, LONGEST_MARGIN)
    return { delay: 0, shots, ready: min === 0 ? 0 : (min + margin) * 1000 }
  },
  hasGap: false,
  describe: (packets) => `${count(packets, 'packet')} sent`,
  next: 'connect now',
  example: '{"rate": {"port": "tcp/22", "hits": 2, "min": "3s", "max": "5s"}}',
}
