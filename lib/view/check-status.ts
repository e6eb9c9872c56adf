// A status → the problems in it that somebody must solve, in plain words. Pure.
import type { DoorSummary } from '../automaton/language/summary.js'
import { describeWarning, type Warning } from '../text/warning.js'
import { type Ahead, endsSoon, viewAhead } from './ahead.js'
import type { Contents, Fill, PendingConfirm } from './contents.js'
import type { DoorStatus, Status } from './status.js'

/** A problem in a status that somebody must solve. */
export interface StatusProblem {
  /** The kind of problem. A warning about the host keeps its own id. */
  readonly id:
    | ('fallen-open' | 'unconfirmed' | 'tokens-ended' | 'tokens-end-soon')
    | ('rotation-ended' | 'rotation-ends-soon' | 'set-full')
    | (string & {})
  readonly message: string
}

/**
 * Finds the problems in a status: a table that is not confirmed, tokens and rotating sequences that
 * have run out or will soon, full sets, interfaces that see no packets. Empty if there is none.
 */
export function checkStatus({
  confirm,
  doors,
  fill,
  warnings = [],
}: Pick<Status, 'confirm' | 'doors' | 'fill' | 'warnings'>): StatusProblem[] {
  return [
    ...(confirm ? [judgeConfirm(confirm)] : []),
    ...doors.flatMap((door) => judgeDoor(door)),
    ...fill.filter(isFull).map(judgeFill),
    ...warnings.map((warning) => ({ id: warning.id, message: describeWarning(warning) })),
  ]
}

/**
 * Warns of tokens and rotating sequences that have run out or will soon, each with the door's place
 * in the spec. The messages have no number of seconds, so that a keeper which looks again and again
 * can see that it has logged them already.
 */
export function warnOfAhead(
  doors: readonly DoorSummary[],
  contents: Pick<Contents, 'loaded' | 'roles'>,
): Warning[] {
  return doors.flatMap((door, index) =>
    judgeDoor({ name: door.name, ...viewAhead(door, contents) }, () => 'soon').map((problem) => {
      return { ...problem, path: `/doors/${index}` }
    }),
  )
}

function judgeConfirm({ fallenOpen, expiresIn = 0 }: PendingConfirm): StatusProblem {
  if (fallenOpen) {
    const message = 'nobody confirmed the table in time: everyone is let in; install the spec again'
    return { id: 'fallen-open', message }
  }
  const message =
    `the table is not confirmed: in ${expiresIn} s everyone is let in; knocklib ` +
    'confirm keeps it'
  return { id: 'unconfirmed', message }
}

type WhenOf = (seconds: number) => string

function judgeDoor(
  { name, tokens = [], rotations = [] }: Pick<DoorStatus, 'name' | 'tokens' | 'rotations'>,
  whenOf: WhenOf = (seconds) => `in ${seconds} s`,
): StatusProblem[] {
  return [
    ...tokens
      .filter(endsSoon)
      .map((ahead) =>
        judgeAhead(
          'tokens',
          `door ${name}: the tokens of ${ahead.user}`,
          'none opens',
          ahead,
          whenOf,
        ),
      ),
    ...rotations
      .filter(endsSoon)
      .map((ahead) =>
        judgeAhead(
          'rotation',
          `door ${name}: the rotating sequence`,
          'it opens nothing',
          ahead,
          whenOf,
        ),
      ),
  ]
}

const REFILL = 'knocklib refill SPEC loads more, from the time of this host on'

function judgeAhead(
  kind: 'tokens' | 'rotation',
  subject: string,
  result: string,
  { expiresIn }: Ahead,
  whenOf: WhenOf,
): StatusProblem {
  const verb = kind === 'tokens' ? ['run', 'end'] : ['runs', 'ends']
  if (expiresIn > 0) {
    const message = `${subject} ${verb[0]} out ${whenOf(expiresIn)}; ${REFILL}`
    return { id: `${kind}-${verb[1]}-soon`, message }
  }
  const has = kind === 'tokens' ? 'have' : 'has'
  return { id: `${kind}-ended`, message: `${subject} ${has} run out: ${result}; ${REFILL}` }
}

/** A set with a capacity of 1 is full as soon as it is used, so that is no problem. */
const isFull = ({ elements, capacity }: Fill): boolean => capacity > 1 && elements >= capacity

function judgeFill({ set, capacity }: Fill): StatusProblem {
  const message = `the set ${set} is full (${capacity}): it takes no new element until one expires`
  return { id: 'set-full', message }
}
