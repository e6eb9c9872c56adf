// The types of what a client sends for a kind of knock, and the plans that kinds share. Pure.
import type { Findings } from '../../spec/model/findings.js'
import type { Family, KnockPort, Step } from '../../spec/model/packet-model.js'
import { formatStep } from '../../spec/model/step.js'

/** One packet to send. */
export interface Shot {
  readonly step: Step
  /** The name of the packet in errors. A secret port is not in it. */
  readonly label: string
  readonly isSecret?: boolean
  /** In hex digits. It replaces the step's `length`. */
  readonly payload?: string
  /** The token as text, for a browser, which makes the packet itself. */
  readonly fragment?: string
  /** Milliseconds after the first packet. Absent: one gap after the packet before it. */
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
  /** The family of the address that is knocked at. */
  readonly family: Family
  /** 24 random hex digits, for packets that have an identifier. */
  readonly id: string
}

/** The part of a profile that is read. */
export interface ProfilePart {
  /** Its JSON Pointer. */
  readonly path: string
  /** The name of the door that the profile opens, if it says one. */
  readonly door: string | undefined
  readonly findings: Findings
}

/** The secret itself, or the file that holds it. */
export interface SecretSource {
  readonly secretFile?: string
  readonly secret?: string
}

export interface ClientKind<Knock, Written> {
  /** Reads the part of a profile of this kind, which has the schema's form. */
  read(written: Written, part: ProfilePart): Knock
  /** The steps that the profile has. Absent: it has none. */
  stepsOf?(knock: Knock): readonly Step[]
  /** Plans the packets of one knock and their times. */
  plan(knock: Knock, circumstances: Circumstances): Plan | Promise<Plan>
  /** Whether the user can choose the pause between two packets. */
  readonly hasGap: boolean
  /**
   * Writes a line for the user.
   *
   * @param packets - how many were sent.
   * @param left - how many knocks the profile still has.
   */
  describe(packets: number, left: number): string
  /** What the user can do or expect then, as the end of that line. */
  readonly next: string
  /** A profile, as the help shows it. */
  readonly example: string
}

export const atOnce = (shots: readonly Shot[]): Plan => ({ delay: 0, shots, ready: 0 })

/** Reads the door that a token or a rotation is for. Default: the profile's door. */
export function readDoor(
  written: { readonly door?: string | undefined },
  { path, door, findings }: ProfilePart,
): string {
  const own = written.door ?? door
  if (own === undefined) findings.add(`${path}/door`, "the door's name in the spec")
  return own ?? ''
}

/** Reads the secret or its file. Exactly one of them must be given. */
export function readSecretSource(
  { secretFile, secret }: { [Key in keyof SecretSource]?: string | undefined },
  { path, findings }: ProfilePart,
): SecretSource {
  if (secret === undefined) {
    if (secretFile === undefined) findings.add(`${path}/secretFile`, 'the path of a file')
    return { secretFile: secretFile ?? '' }
  }
  if (secretFile !== undefined) {
    findings.conflict(`${path}/secret`, `${path}/secretFile`, 'a secret has one place')
  }
  const { length } = new TextEncoder().encode(secret)
  if (length < SHORTEST_SECRET) {
    findings.add(`${path}/secret`, `a secret of at least ${SHORTEST_SECRET} bytes`)
  }
  return { secret }
}

/** Bytes. */
const SHORTEST_SECRET = 16

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
