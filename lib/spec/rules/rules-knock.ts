// What the parts of one knock, and the knocks of one door, may not be beside each other. Pure.
import { LONGEST_TOKEN } from '../model/derive.js'
import { formatDuration, MAX_DURATION } from '../model/duration.js'
import type { Findings } from '../model/findings.js'
import type {
  Family,
  Step,
  ValidDoor,
  ValidKnock,
  ValidRate,
  ValidRhythm,
  ValidRotation,
  ValidSequence,
  ValidToken,
} from '../model/model.js'
import { stepMeetsService, stepsMeet } from '../model/step.js'
import { MOST_SEQUENCES } from '../read/read-sequence.js'
import { attemptsOf, sequencesOf } from './knock-ports.js'

/** The most knocks of a table, each of a list of one-time sequences counted: more take nft minutes. */
const MOST_KNOCKS = 8192
/** The most of those that are rates or rhythms on the service itself: for each the kernel walks all others anew. */
const MOST_OWN = 256

/** Reports more knocks than a table can have; false if there are more. */
export function checkNumber(doors: readonly ValidDoor[], findings: Findings): boolean {
  let [all, own] = [0, 0]
  for (const door of doors) {
    const knocks = attemptsOf(door)
    all += knocks.length
    if (all <= MOST_KNOCKS)
      own += knocks.filter((knock) => isTimed(knock) && isOwn(knock, door)).length
    const wrong =
      all > MOST_KNOCKS
        ? `${MOST_KNOCKS} knocks`
        : own > MOST_OWN && `${MOST_OWN} rates and rhythms on the service itself`
    if (!wrong) continue
    findings.add(`${door.origin}/name`, `a table with at most ${wrong}, these are more`)
    return false
  }
  return true
}

const isTimed = (knock: ValidKnock): knock is ValidRate | ValidRhythm =>
  knock.type === 'rate' || knock.type === 'rhythm'

const isOwn = (knock: ValidRate | ValidRhythm, { services }: ValidDoor): boolean =>
  portsOf(knock).some((port) => services.some((service) => stepMeetsService(port, service)))

/** Reports what is wrong with the knocks of a door, each by itself and all together. */
export function checkKnocks(door: ValidDoor, findings: Findings): void {
  for (const knock of attemptsOf(door)) checkKnock(knock, findings)
  for (const sequence of sequencesOf(door)) checkFamilies(sequence, door, findings)
  checkClose(door, findings)
  checkOnce(door, findings)
  checkAlone(door, findings)
}

/** Reports kinds of which one door cannot have two. */
function checkAlone(door: ValidDoor, findings: Findings): void {
  const { knocks } = door
  const [first, second] = knocks.filter(({ type }) => type === 'token')
  // They would accept the same tokens.
  if (second) {
    findings.add(`${second.origin}/type`, `another type, ${first?.origin} has the door's tokens`)
  }
  const timed = knocks.filter(isTimed)
  const own = timed.find((knock) => isOwn(knock, door))
  const other = timed.find((knock) => knock !== own)
  if (own && other && findings.isCleanBelow(own.origin)) {
    const why = `${own.origin} is knocked on the service itself and takes all its packets`
    findings.add(`${other.origin}/type`, `neither rate nor rhythm: ${why}`)
  }
}

const portsOf = (knock: ValidRate | ValidRhythm): readonly Step[] =>
  knock.type === 'rate' ? [knock.port] : knock.ports

function checkKnock(knock: ValidKnock, findings: Findings): void {
  if (knock.type === 'sequence' || knock.type === 'rotation') checkTimes(knock, findings)
  if (knock.type === 'rotation') checkPeriods(knock, findings)
  if (knock.type === 'rate') checkRate(knock, findings)
  if (knock.type === 'rhythm') checkRhythm(knock, findings)
  if (knock.type === 'token') {
    checkTokens(knock, findings)
    checkUsers(knock, findings)
  }
}

/** Whether these parts of a knock, which may be left out, are each of the right form. */
const areRead = (origin: string, keys: readonly string[], findings: Findings): boolean =>
  keys.every((key) => findings.isClean(`${origin}/${key}`))

function checkTimes(
  { stepTimeout, timeout, origin }: ValidSequence | ValidRotation,
  findings: Findings,
): void {
  const isRead = areRead(origin, ['stepTimeout', 'timeout'], findings)
  if (isRead && timeout !== undefined && stepTimeout > timeout) {
    findings.add(`${origin}/stepTimeout`, `at most timeout, ${timeout} s`)
  }
}

function checkPeriods({ origin, every, horizon }: ValidRotation, findings: Findings): void {
  const path = `${origin}/rotate`
  // The one that is valid when they are loaded, and the one at the horizon's end, may both be valid in part.
  const most = MOST_SEQUENCES - 2
  if (areRead(path, ['every', 'horizon'], findings) && horizon > most * every) {
    findings.add(`${path}/horizon`, `at most ${most} times every`)
  }
}

function checkRate({ origin, min, max }: ValidRate, findings: Findings): void {
  if (areRead(origin, ['min', 'max'], findings) && min >= max) {
    findings.add(`${origin}/min`, `less than max, ${max} s`)
  }
}

function checkRhythm({ origin, window, counts }: ValidRhythm, findings: Findings): void {
  const most = Math.floor(MAX_DURATION / (counts.length + 1))
  if (areRead(origin, ['window', 'counts'], findings) && window > most) {
    findings.add(
      `${origin}/window`,
      `at most ${most} s, so that all windows last 365 d at the most`,
    )
  }
}

/** The most tokens of one user that are loaded at a time. */
const MOST_TOKENS = 100_000

function checkTokens({ origin, period, drift, horizon }: ValidToken, findings: Findings): void {
  const most = MOST_TOKENS - 2
  if (!areRead(origin, ['period', 'drift', 'horizon'], findings)) return
  const isLong = horizon + drift + period > LONGEST_TOKEN
  if (horizon + drift <= most * period && !isLong) return
  if (isLong) {
    const longest = formatDuration(LONGEST_TOKEN)
    const key = findings.isGiven(`${origin}/horizon`) ? 'horizon' : 'period'
    findings.add(`${origin}/${key}`, `at most ${longest} of horizon, drift and period together`)
    return
  }
  const [long, other] = findings.isGiven(`${origin}/horizon`)
    ? ['horizon', 'drift']
    : ['drift', 'horizon']
  findings.add(`${origin}/${long}`, `at most ${most} times period, together with ${other}`)
}

function checkUsers({ origin, users }: ValidToken, findings: Findings): void {
  for (const [key, what] of [
    ['name', 'name'],
    ['secretFile', 'secret'],
  ] as const) {
    const first = new Map<string, string>()
    for (const [index, user] of users.entries()) {
      const place = `${origin}/users/${index}`
      if (!areRead(place, [key], findings)) continue
      const earlier = first.get(user[key])
      if (earlier === undefined) first.set(user[key], place)
      else findings.add(`${place}/${key}`, `a ${what} of its own, ${earlier} has this one`)
    }
  }
}

/** The address families over which every step can be sent. */
function familiesOf(steps: readonly Step[]): Family[] {
  return steps.some((step) => step.protocol === 'icmpv6') ? [6] : [4, 6]
}

function checkFamilies(
  { steps, stepsOrigin }: ValidSequence,
  { addresses }: ValidDoor,
  findings: Findings,
): void {
  if (addresses.length === 0) return
  const reachable = familiesOf(steps)
  if (!addresses.some(({ family }) => reachable.includes(family))) {
    const index = steps.findIndex((step) => step.protocol === 'icmpv6')
    findings.add(
      `${stepsOrigin}/${index}`,
      'a step that can reach the door, which has IPv4 addresses alone',
    )
  }
}

/** One packet must not both open and close: neither sequence may end with the whole of the other. */
function checkClose(door: ValidDoor, findings: Findings): void {
  const { close } = door
  // A step that could not be read has another in its place.
  if (!close || !findings.isCleanBelow(close.stepsOrigin)) return
  for (const { stepsOrigin, steps } of sequencesOf(door)) {
    if (stepsOrigin === close.stepsOrigin || !findings.isCleanBelow(stepsOrigin)) continue
    if (endAlike(steps, close.steps)) {
      findings.add(close.stepsOrigin, 'steps that do not complete the opening knock as well')
      return
    }
  }
}

function endAlike(a: readonly Step[], b: readonly Step[]): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  const tail = long.slice(long.length - short.length)
  return short.every((step, index) => stepsMeet(step, tail[index] as Step))
}

function checkOnce(door: ValidDoor, findings: Findings): void {
  const first = new Map<string, string>()
  for (const { once, stepsOrigin } of sequencesOf(door)) {
    if (once === undefined) continue
    const earlier = first.get(once)
    if (earlier === undefined) first.set(once, stepsOrigin)
    else findings.add(stepsOrigin, `a sequence of its own, ${earlier} has the same steps`)
  }
}
