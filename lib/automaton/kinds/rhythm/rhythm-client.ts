// A rhythm, as a profile writes it → packets in the middle of their windows. Pure.
import type { RhythmProfile } from '../../../spec/generated/client-types.js'
import { LEAST_WINDOW } from '../../../spec/model/duration.js'
import type { KnockPort } from '../../../spec/model/packet-model.js'
import { readDuration, readKnockPort, readValue } from '../../../spec/model/read-values.js'
import { type ClientKind, count, shotAt } from '../../language/client-kind.js'

export interface RhythmKnock {
  readonly kind: 'rhythm'
  readonly port: KnockPort
  readonly counts: readonly number[]
  /** Seconds from one burst to the next. */
  readonly window: number
}

/** Milliseconds between packets of one burst. */
const PACE = 50

export const rhythm: ClientKind<RhythmKnock, RhythmProfile> = {
  read: (written, { path, findings }) => ({
    kind: 'rhythm',
    port: readKnockPort(written.port, `${path}/port`, findings),
    counts: readValue(written.counts, `${path}/counts`, [], findings),
    window: readDuration(written.window, `${path}/window`, findings, LEAST_WINDOW),
  }),
  plan({ port, counts, window }) {
    const shots = counts.flatMap((count, burst) =>
      Array.from({ length: count }, (_, index) =>
        shotAt(port, burst * window * 1000 + index * PACE),
      ),
    )
    return { delay: 0, shots, ready: 0 }
  },
  hasGap: false,
  describe: (packets) => `${count(packets, 'packet')} sent`,
  next: 'connect now',
  example: '{"rhythm": {"port": "tcp/443", "counts": [1, 2, 3, 4], "window": "4s"}}',
}
