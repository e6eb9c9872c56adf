// A status → the problems in it that somebody must solve, in plain words. Pure.
import type { DoorSummary } from '../automaton/language/summary.js'
import { ArgumentError } from '../errors.js'
import { EXPECTED_DURATION, parseDuration } from '../spec/model/duration.js'
import { describeWarning, type Warning } from '../text/warning.js'
import { type Ahead, endsSoon, endsWithin, type UserStatus, viewAhead } from './ahead.js'
import type { Contents, Fill, PendingConfirm } from './contents.js'
import type { DoorStatus, Status } from './status.js'

/** A problem in a status that somebody must solve. */
export interface StatusProblem {
  /** The kind of problem. A warning about the host keeps its own id. */
  readonly id:
    | ('fallen-open' | 'unconfirmed' | 'tokens-ended' | 'tokens-end-soon')
    | ('rotation-ended' | 'rotation-ends-soon' | 'user-ended' | 'user-ends-soon' | 'set-full')
    | (string & {})
  readonly message: string
}

/** How long before an end there is a problem. */
export interface StatusCheckOptions {
  /**
   * How long before the end of what is loaded, and before a user's `until`: a duration such as
   * `"3d"`, or seconds. For what is loaded it is half of the time for which that was loaded at the
   * most. Default: a tenth of that time, or a day if that is less; 7 days before `until`.
   */
  readonly before?: string | number | undefined
}

/**
 * Finds the problems in a status: a table that is not confirmed, tokens and rotating sequences that
 * have run out or will soon, users that have come to their end or will soon, full sets, interfaces
 * that see no packets, a clock that is not synchronised. Empty if there is none.
 *
 * @throws ArgumentError if `before` is no duration.
 */
export function checkStatus(
  {
    confirm,
    doors,
    fill,
    warnings = [],
    clock,
  }: Pick<Status, 'confirm' | 'doors' | 'fill' | 'warnings' | 'clock'>,
  { before }: StatusCheckOptions = {},
): StatusProblem[] {
  const when: When = {
    before: readBefore(before, 'checkStatus'),
    now: clock && Date.parse(clock.time),
    format: (seconds) => `in ${seconds} s`,
  }
  return [
    ...(confirm ? [judgeConfirm(confirm)] : []),
    ...doors.flatMap((door) => judgeDoor(door, when)),
    ...fill.filter(isFull).map(judgeFill),
    ...warnings.map((warning) => ({ id: warning.id, message: describeWarning(warning) })),
  ]
}

/**
 * Reads `before` as seconds.
 *
 * @throws ArgumentError if it is no duration.
 */
export function readBefore(
  before: StatusCheckOptions['before'],
  operation: string,
): number | undefined {
  if (before === undefined) return undefined
  const seconds = parseDuration(before)
  if (seconds !== undefined) return seconds
  const got = JSON.stringify(before)
  throw new ArgumentError(`${operation}: before: expected ${EXPECTED_DURATION}, got ${got}`)
}

/**
 * Warns of tokens and rotating sequences that have run out or will soon, and of users whose end has
 * come or comes soon, each with the door's place in the spec. The messages have no number of
 * seconds, so that a keeper which looks again and again can see that it has logged them already.
 *
 * @param now - milliseconds since 1970.
 * @param before - seconds.
 */
export function warnOfAhead(
  doors: readonly DoorSummary[],
  contents: Pick<Contents, 'loaded' | 'roles'>,
  now: number,
  before?: number,
): Warning[] {
  const when: When = { before, now, format: () => 'soon' }
  return doors.flatMap((door, index) =>
    judgeDoor({ name: door.name, ...viewAhead(door, contents) }, when).map((problem) => {
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

interface When {
  /** Seconds that are soon; undefined: the defaults. */
  readonly before: number | undefined
  /** Milliseconds since 1970; undefined if nobody says it. Then no user's end is judged. */
  readonly now: number | undefined
  /** Says in how many seconds something ends. */
  readonly format: (seconds: number) => string
}

function judgeDoor(
  { name, tokens = [], rotations = [] }: Pick<DoorStatus, 'name' | 'tokens' | 'rotations'>,
  when: When,
): StatusProblem[] {
  const { before } = when
  const isSoon = (ahead: Ahead) =>
    before === undefined ? endsSoon(ahead) : endsWithin(ahead, before)
  return [
    ...tokens.flatMap((ahead) => {
      const subject = `door ${name}: the tokens of ${ahead.user}`
      const isLoaded = !isSoon(ahead) || isLoadedToEnd(ahead, when)
      return [
        ...(isLoaded ? [] : [judgeAhead('tokens', subject, 'none opens', ahead, when)]),
        ...judgeEnd(name, ahead, when),
      ]
    }),
    ...rotations.filter(isSoon).map((ahead) => {
      const subject = `door ${name}: the rotating sequence`
      return judgeAhead('rotation', subject, 'it opens nothing', ahead, when)
    }),
  ]
}

/** Seconds before a user's end that are soon, if nobody says how many: a week. */
const BEFORE_END = 7 * 86_400
/** Seconds by which the kernel's countdown and the clock may differ. */
const TOLERANCE = 60

/** Seconds until a user's end, which may be negative; undefined if there is none to judge. */
const leftOf = ({ until }: UserStatus, { now }: When): number | undefined =>
  until === undefined || now === undefined ? undefined : (Date.parse(until) - now) / 1000

/** Whether all tokens of a user are loaded that there will ever be. */
const isLoadedToEnd = (user: UserStatus, when: When): boolean =>
  (leftOf(user, when) ?? Number.POSITIVE_INFINITY) <= user.expiresIn + TOLERANCE

function judgeEnd(door: string, user: UserStatus, when: When): StatusProblem[] {
  const left = leftOf(user, when)
  if (left === undefined || left >= (when.before ?? BEFORE_END)) return []
  const subject = `door ${door}: the time of ${user.user}`
  const todo = 'a later until, installed, lets the user go on'
  return [
    left > 0
      ? { id: 'user-ends-soon', message: `${subject} ends at ${user.until}; ${todo}` }
      : {
          id: 'user-ended',
          message: `${subject} ended at ${user.until}: no token opens; ${todo}, or remove the user`,
        },
  ]
}

const REFILL = 'knocklib refill SPEC loads more, from the time of this host on'

function judgeAhead(
  kind: 'tokens' | 'rotation',
  subject: string,
  result: string,
  { expiresIn }: Ahead,
  { format }: When,
): StatusProblem {
  const verb = kind === 'tokens' ? ['run', 'end'] : ['runs', 'ends']
  if (expiresIn > 0) {
    const message = `${subject} ${verb[0]} out ${format(expiresIn)}; ${REFILL}`
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
