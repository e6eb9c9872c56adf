// A valid profile, its secret and the time → the packets of one knock, and when each is sent. Pure.
import { derivePorts, deriveToken, periodAt } from '../spec/model/derive.js'
import type { KnockPort, Step } from '../spec/model/model.js'
import { formatStep } from '../spec/model/step.js'
import type { ClientKnock, RateKnock, RhythmKnock, RotatingKnock, TokenKnock } from './model.js'

/** One packet. */
export interface Shot {
  readonly step: Step
  /** What an error calls it: a port that is a secret stays one. */
  readonly label: string
  readonly isSecret?: boolean
  /** In hex digits; it takes the place of the step's length. */
  readonly payload?: string
  /** Milliseconds after the first. Without: when the one before has left, and the gap is over. */
  readonly at?: number
}

export interface Plan {
  /** Milliseconds to wait before the first. */
  readonly delay: number
  readonly shots: readonly Shot[]
  /** Milliseconds after the first until a connection is in time. */
  readonly ready: number
}

export interface Circumstances {
  readonly secret?: Uint8Array | undefined
  /** Seconds since 1970. */
  readonly now: number
  /** Milliseconds. */
  readonly gap: number
}

/** Milliseconds between packets to the same port: they need no order, but not all networks like bursts. */
const RATE_PACE = 20
const RHYTHM_PACE = 50

/** Seconds by which a connection is later than it must be: packets may take longer than those before them. */
const MARGIN = 0.5
const LONGEST_MARGIN = 1

/** Seconds by which a sequence begins later than its period: the host's clock may be behind. */
const LATE = 0.25

/** What a knock sends; of one-time sequences the first. */
export function planKnock(knock: ClientKnock, { secret, now, gap }: Circumstances): Plan {
  switch (knock.kind) {
    case 'steps':
      return atOnce(knock.steps.map((step) => ({ step, label: formatStep(step) })))
    case 'oneTime':
      return atOnce(conceal(knock.sequences[0] ?? []))
    case 'rotate':
      return planRotation(knock, requireSecret(secret), now, gap)
    case 'token':
      return planToken(knock, requireSecret(secret), now)
    case 'rate':
      return planRate(knock)
    case 'rhythm':
      return planRhythm(knock)
  }
}

const atOnce = (shots: readonly Shot[]): Plan => ({ delay: 0, shots, ready: 0 })

const conceal = (steps: readonly Step[]): Shot[] =>
  steps.map((step, index) => {
    return { step, label: `packet ${index + 1} of ${steps.length}`, isSecret: true }
  })

function requireSecret(secret: Uint8Array | undefined): Uint8Array {
  if (!secret) throw new Error('unreachable: a knock without its secret')
  return secret
}

function planRotation(knock: RotatingKnock, secret: Uint8Array, now: number, gap: number): Plan {
  const { every, door } = knock
  const current = periodAt(now, every)
  const left = (current + 1) * every - now
  // The host takes whole seconds of a period: the last one may be over early.
  const takes = (knock.length * gap) / 1000 + 1
  // One that is longer than its period can only be tried.
  const waits = left < takes && takes < every
  const ports = derivePorts(secret, door, waits ? current + 1 : current, knock)
  return { ...atOnce(conceal(ports)), delay: waits ? (left + LATE) * 1000 : 0 }
}

function planToken({ door, port, period }: TokenKnock, secret: Uint8Array, now: number): Plan {
  const payload = deriveToken(secret, door, periodAt(now, period))
  const step = { protocol: 'udp', port } as const
  return atOnce([{ step, label: formatStep(step), payload }])
}

function planRate({ port, hits, min, max }: RateKnock): Plan {
  const shots = Array.from({ length: hits }, (_, index) => shotAt(port, index * RATE_PACE))
  const margin = max === undefined ? MARGIN : Math.min((max - min) / 2, LONGEST_MARGIN)
  return { delay: 0, shots, ready: min === 0 ? 0 : (min + margin) * 1000 }
}

function planRhythm({ port, counts, window }: RhythmKnock): Plan {
  const shots = counts.flatMap((count, burst) =>
    Array.from({ length: count }, (_, index) =>
      shotAt(port, burst * window * 1000 + index * RHYTHM_PACE),
    ),
  )
  return { delay: 0, shots, ready: 0 }
}

const shotAt = (step: KnockPort, at: number): Shot => ({ step, label: formatStep(step), at })
