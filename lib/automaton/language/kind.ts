// What a kind of knock is to everything that treats all kinds alike. Types.
import type { Findings } from '../../spec/model/findings.js'
import type { Note, Step, ValidDoor, ValidKnock } from '../../spec/model/model.js'
import type { Loads, Secrets } from './loads.js'
import type { Attempt } from './names.js'
import type { KnockContext, KnockProgram } from './program.js'

/** A knock of a door, and the name of its attempt. */
export interface PlacedKnock<Knock extends ValidKnock = ValidKnock> {
  readonly door: ValidDoor
  readonly knock: Knock
  readonly attempt: Attempt
}

/** A place where a knock is knocked, with the JSON Pointer of the part that says so. */
type SteppedPlace = readonly [step: Step, path: string]

export interface Kind<Knock extends ValidKnock = ValidKnock, Written = unknown> {
  /**
   * Reads a knock of the user's words whose form the schema lets pass; a list of one-time sequences
   * becomes several. Absent: the reading of another kind makes this one.
   */
  read?(written: Written, origin: string, findings: Findings): ValidKnock[]
  /**
   * Reports what all knocks of this kind at one door must not be, each by itself and beside the
   * others.
   */
  check(knocks: readonly Knock[], door: ValidDoor, findings: Findings): void
  /** The steps or ports that the spec writes down. */
  stepsOf(knock: Knock, findings: Findings): readonly SteppedPlace[]
  /** How many packets it takes, without the one that is let through itself. */
  lengthOf(knock: Knock): number
  build(knock: Knock, context: KnockContext): KnockProgram

  /**
   * Whether the packet that ends it is the connection itself, so that its ports may be the door's
   * own service.
   */
  readonly endsInService?: true
  /** Whether no other knock may have its port. */
  readonly ownsPort?: true
  /** Whether a packet to its port can be wrong by itself, which is counted. */
  readonly countsWrong?: true
  /** How many connections a grant is for unless the spec says otherwise. Absent: any number. */
  readonly connections?: number

  /** The files of its secrets. With none, whoever can read the spec can knock. */
  secretFilesOf?(knock: Knock): readonly string[]
  /** What its sets hold at a time, in seconds since 1970. */
  load?(placed: PlacedKnock<Knock>, secrets: Secrets, now: number): Partial<Loads>
  /** The tokens that are good at a time and can have been used by then. */
  doubt?(placed: PlacedKnock<Knock>, secrets: Secrets, now: number): readonly string[]
  /** Whether what opens the door once never opens it again. */
  worksOnce?(knock: Knock): boolean
  /** What is as the spec says and easily believed to be otherwise. */
  notesOf?(knock: Knock, door: ValidDoor): readonly Note[]
}
