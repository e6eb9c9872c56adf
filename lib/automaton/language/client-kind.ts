// What a client sends for a kind of knock, and how that is read. Types, and the plans that kinds
// have in common. Pure.
import type { Findings } from '../../spec/model/findings.js'
import type { KnockPort, Step } from '../../spec/model/model.js'
import { formatStep } from '../../spec/model/step.js'

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

export interface ClientKind<Knock, Written> {
  /** Reads the part of a profile that is of this kind and has the schema's form. */
  read(written: Written, findings: Findings): Knock
  /** The steps that the profile writes down. Absent: it writes none. */
  stepsOf?(knock: Knock): readonly Step[]
  /** The packets of one knock, and when each is sent. */
  plan(knock: Knock, circumstances: Circumstances): Plan
  /** Whether the pause between two packets is the user's to choose. */
  readonly hasGap: boolean
  /** A line for the user: so many packets were sent, and the profile still has so many knocks. */
  describe(packets: number, left: number): string
  /** A profile, as the help shows it. */
  readonly example: string
}

export const atOnce = (shots: readonly Shot[]): Plan => ({ delay: 0, shots, ready: 0 })

/** Packets whose ports are a secret. */
export const conceal = (steps: readonly Step[]): Shot[] =>
  steps.map((step, index) => {
    return { step, label: `packet ${index + 1} of ${steps.length}`, isSecret: true }
  })

export const shotAt = (step: KnockPort, at: number): Shot => ({ step, label: formatStep(step), at })

export function requireSecret(secret: Uint8Array | undefined): Uint8Array {
  if (!secret) throw new Error('unreachable: a knock without its secret')
  return secret
}

export const count = (number: number, thing: string): string =>
  `${number} ${thing}${number === 1 ? '' : 's'}`

/** Of a knock after which the client connects whenever it likes. */
export const SILENCE = 'a door gives no answer'
