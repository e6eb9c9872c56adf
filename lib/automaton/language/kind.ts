// The interface of a kind of knock, by which all kinds are treated alike. Types.
import type { ProfileDoor } from '../../spec/generated/client-types.js'
import type { Findings } from '../../spec/model/findings.js'
import type { Note, ValidDoor, ValidKnock, ValidUser } from '../../spec/model/model.js'
import type { KnockPort, Step } from '../../spec/model/packet-model.js'
import type { Loads, Secrets } from './loads.js'
import type { Attempt } from './names.js'
import type { KnockContext, KnockProgram } from './program.js'

/** A knock of a door, and the name of its attempt. */
export interface PlacedKnock<Knock extends ValidKnock = ValidKnock> {
  readonly door: ValidDoor
  readonly knock: Knock
  readonly attempt: Attempt
}

/** A step or knock port, with the JSON Pointer of its place in the spec. */
type SteppedPlace = readonly [step: Step, path: string]

/** Steps in an order, of plain packets to ports. */
export interface SharedSteps {
  readonly steps: readonly KnockPort[]
  /** Seconds between two of them. */
  readonly stepTimeout: number
}

/** One kind of knock, as a profile writes it. */
export type ProfileKnock = Omit<ProfileDoor, 'port' | 'for' | 'connections' | 'gap'>

export interface Kind<Knock extends ValidKnock = ValidKnock, Written = unknown> {
  /**
   * Reads a knock that the schema accepts. A list of one-time sequences becomes several. Absent:
   * another kind's `read` makes this one.
   */
  read?(written: Written, origin: string, findings: Findings): ValidKnock[]
  /** Reports problems of all knocks of this kind at one door, each alone and together. */
  check(knocks: readonly Knock[], door: ValidDoor, findings: Findings): void
  /** The steps or ports that the spec has for the knock. */
  stepsOf(knock: Knock, findings: Findings): readonly SteppedPlace[]
  /** How many packets the knock takes, not counting the one that is accepted itself. */
  lengthOf(knock: Knock): number
  build(knock: Knock, context: KnockContext): KnockProgram
  /** Its steps, if many doors with such knocks can share their rules. */
  share?(knock: Knock): SharedSteps | undefined

  /**
   * Whether the packet that ends the knock is the connection itself. Its ports may then belong to
   * the door's own service.
   */
  readonly endsInService?: true
  /** Whether no other knock may have its port. */
  readonly ownsPort?: true
  /** Whether a packet to its port can be wrong by itself and is then counted. */
  readonly countsWrong?: true
  /** The default for `open.connections`. Absent: any number. */
  readonly connections?: number

  /** The files of its secrets. If there are none, anybody who can read the spec can knock. */
  secretFilesOf?(knock: Knock): readonly string[]
  /** The contents of its sets at a time, in seconds since 1970. */
  load?(placed: PlacedKnock<Knock>, secrets: Secrets, now: number): Partial<Loads>
  /** The tokens that are valid at a time and may have been used by then. */
  doubt?(placed: PlacedKnock<Knock>, secrets: Secrets, now: number): readonly string[]
  /** Whether the packets that opened the door once never open it again. */
  worksOnce?(knock: Knock): boolean
  /**
   * What a client's profile says of the knock.
   *
   * @param knocks - those that one place of the spec became: one, or a list of one-time sequences.
   * @param secretFile - where the client has the secret; empty if the kind has none.
   */
  profileOf(knocks: readonly [Knock, ...Knock[]], secretFile: string): ProfileKnock
  /** Those who have a secret of their own. Absent: nobody is told from another. */
  usersOf?(knock: Knock): readonly ValidUser[]
  /** Remarks about parts that are easily misunderstood. */
  notesOf?(knock: Knock, door: ValidDoor): readonly Note[]
}
