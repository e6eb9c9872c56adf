// The types of what a client sends for a kind of knock, and the plans that kinds share. Pure.
import type { Findings } from '../../spec/model/findings.js'
import type { KnockPort, Step } from '../../spec/model/model.js'
import { formatStep } from '../../spec/model/step.js'

/** One packet to send. */
export interface Shot {
  readonly step: Step
  /** The name of the packet in errors. A secret port is not in it. */
  readonly label: string
  readonly isSecret?: boolean
  /** In hex digits. It replaces the step's `length`. */
  readonly payload?: string
  /** Milliseconds after the first packet. Absent: one gap after the packet before it has left. */
  readonly at?: number
}

export interface Plan {
  /** Milliseconds to wait before the first packet. */
  readonly delay: number
  readonly shots: readonly Shot[]
  /** Milliseconds after the first packet from which a connection is in time. */
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
  /** Reads the part of a profile of this kind, which has the schema's form. */
  read(written: Written, findings: Findings): Knock
  /** The steps that the profile has. Absent: it has none. */
  stepsOf?(knock: Knock): readonly Step[]
  /** Plans the packets of one knock and their times. */
  plan(knock: Knock, circumstances: Circumstances): Plan
  /** Whether the user can choose the pause between two packets. */
  readonly hasGap: boolean
  /**
   * Writes a line for the user.
   *
   * @param packets - how many were sent.
   * @param left - how many knocks the profile still has.
   */
  describe(packets: number, left: number): string
  /** A profile, as the help shows it. */
  readonly example: string
}

export const atOnce = (shots: readonly Shot[]): Plan => ({ delay: 0, shots, ready: 0 })

/** Packets whose ports are secret. */
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

/** For knocks after which the client may connect at any time. */
export const SILENCE = 'a door gives no answer'
