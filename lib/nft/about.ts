// What a table says of itself: a set whose elements have comments. An automaton → its elements; a
// listing's comments → what was installed. Pure.
//
// Some versions of nft lose the comments of tables, chains and sets; all keep those of elements.
// And one set is listed in milliseconds whatever else the table holds. To list one chain, nft 1.0.6
// reads all sets of the table.
import type { Automaton } from '../automaton/language/automaton.js'
import type { Attempt } from '../automaton/language/names.js'
import {
  type DoorSummary,
  formatDoor,
  formatEnd,
  formatPlace,
  isUser,
  joinPlace,
  parseDoor,
  type SharedSummary,
  withUser,
} from '../automaton/language/summary.js'
import { withKnock } from '../automaton/sharing/find.js'
import { hexDigest } from '../spec/model/digest.js'
import type { Prefix } from '../spec/model/packet-model.js'
import { formatPrefix, parsePrefix } from '../spec/model/prefix.js'
import { parseService } from '../spec/model/step.js'
import type { NftCommand, NftDocument, NftValue } from './document.js'
import type { Listing } from './listing.js'

export const ABOUT_SET = 'about'

/**
 * The version of the layout. It changes when a newer knocklib could misread the tables of an older
 * one.
 */
const LAYOUT = 4

/** What a table says of itself. */
export interface About {
  readonly layout: number
  /** The same for the same ruleset. */
  readonly digest: string
  readonly doors: readonly DoorSummary[]
  /** The same for the same doors. */
  readonly doorsDigest: string
  /**
   * By "DOOR ATTEMPT", the digest of the knock. If it is the same, attempts under way can go on.
   */
  readonly attempts: ReadonlyMap<string, string>
  /** The NFLOG group to which the table logs; absent if it logs nothing. */
  readonly log?: number
  /**
   * The hook and the interfaces where packets are judged. Absent if there are no interfaces in the
   * spec, or if an older knocklib made the table.
   */
  readonly place?: Automaton['place']
  /** The block that is one source for attempts and bans. Absent: the address. */
  readonly guardPrefix?: Prefix
}

/** A digest of 32 hex digits, the same for the same commands. */
export const digestCommands = (commands: readonly NftCommand[]): string => hexDigest(commands, 32)

const DOORS_DIGITS = 16

/** A digest of 16 hex digits, the same for the same doors and blocks of bans. */
export const digestDoors = ({
  doors,
  guardPrefix,
}: Pick<Automaton, 'doors' | 'guardPrefix'>): string =>
  hexDigest(guardPrefix ? [doors, guardPrefix] : doors, DOORS_DIGITS)

/**
 * The name of a set that holds one constant. To add that constant again changes nothing, and fails
 * if the table has other doors. So a transaction that changes grants can check without a listing
 * that its door is still the one that was read.
 */
export const doorsSet = (doorsDigest: string): string => `doors_${doorsDigest}`

/** Enough digits that two attempts never share a digest by chance. */
const ATTEMPT_DIGITS = 16

/** Computes the digest of each attempt, by "DOOR ATTEMPT". */
export function digestAttempts({ attempts }: Pick<Automaton, 'attempts'>): Map<string, string> {
  const digest = (meaning: unknown) => hexDigest(meaning, ATTEMPT_DIGITS)
  return new Map(attempts.map((one) => [`${one.door} ${one.attempt}`, digest(one.meaning)]))
}

/** Renders the set's elements: numbers from 0, each with a comment. */
export function aboutElements(automaton: Automaton, digest: string): NftValue[] {
  const { doors, logGroup, place, guardPrefix } = automaton
  const attempts = digestAttempts(automaton)
  const closing = closingLines(attempts)
  const comments = [
    `knocklib ${LAYOUT} ${digest}`,
    `doors ${digestDoors(automaton)}`,
    ...(logGroup === undefined ? [] : [`log ${logGroup}`]),
    ...(guardPrefix ? [`guard ${formatPrefix(guardPrefix)}`] : []),
    ...formatPlace(place).map((one) => `interface ${one}`),
    ...doors.flatMap((door) => {
      const { name, services, knocks } = door
      return [
        `door ${name} ${formatDoor(door)}`,
        ...(door.prefix ? [`prefix ${name} ${formatPrefix(door.prefix)}`] : []),
        ...knocks.flatMap(({ attempt, steps, users = [], until }) => [
          [`knock ${name} ${attempt} ${steps}`, attempts.get(`${name} ${attempt}`)].join(' '),
          ...users.map((user) => `user ${name} ${attempt} ${user}${formatEnd(user, until)}`),
        ]),
        ...(closing.get(name) ?? []),
        ...services.map((service) => `service ${name} ${service}`),
        ...formatPlace(door.place).map((one) => `at ${name} ${one}`),
        ...sharing(door),
      ]
    }),
  ]
  return comments.map((comment, val) => ({ elem: { val, comment } }))
}

/**
 * The lines for closing knocks, by their door; the first has no number. They are not in `knocks`,
 * which has only those that open the door.
 */
function closingLines(attempts: ReadonlyMap<string, string>): Map<string, string[]> {
  const lines = new Map<string, string[]>()
  for (const [key, digest] of attempts) {
    const [name = '', attempt = ''] = key.split(' ')
    if (!CLOSING.test(attempt)) continue
    const line = `close ${name} ${digest}${attempt === 'close' ? '' : ` ${attempt}`}`
    lines.set(name, [...(lines.get(name) ?? []), line])
  }
  return lines
}

/** The lines of a door that shares its sets: the numbers and lengths of its knocks. */
const sharing = ({ name, shared }: DoorSummary): string[] =>
  (shared?.knocks ?? []).map(
    ({ attempt, number, steps }) => `shared ${name} ${attempt} ${number} ${steps}`,
  )

/**
 * Reads the comments of the set in the order of their numbers; undefined if the table has no such
 * set.
 */
export function aboutComments(listing: Listing): readonly string[] | undefined {
  const elements = listing.sets.get(ABOUT_SET)?.elements
  return elements
    ?.toSorted((a, b) => Number(a.key[0]) - Number(b.key[0]))
    .map(({ comment }) => comment ?? '')
}

/** Reads the ruleset's digest in a document that makes a table. */
export function digestOf({ nftables }: NftDocument): string {
  for (const command of nftables) {
    if (!('add' in command && 'set' in command.add && command.add.set.name === ABOUT_SET)) continue
    const match = /"knocklib \d+ ([0-9a-f]{32})"/.exec(JSON.stringify(command.add.set.elem))
    if (match?.[1]) return match[1]
  }
  throw new Error('unreachable: no about set')
}

/** Whether the comments say that knocklib made the table, in any layout. */
export const isOurs = (comments: readonly string[] | undefined): boolean =>
  /^knocklib \d+ [0-9a-f]{32}$/.test(comments?.[0] ?? '')

/**
 * Reads the ruleset's digest in comments of any layout; undefined if the table is not from
 * knocklib.
 */
export const digestIn = (comments: readonly string[] | undefined): string | undefined =>
  isOurs(comments) ? comments?.[0]?.split(' ').at(-1) : undefined

/** Whether the comments say that the table judges at ingress, in any layout. */
export const isAtIngress = (comments: readonly string[] = []): boolean =>
  isOurs(comments) && comments.some((comment) => /^interface \S+ ingress$/.test(comment))

/**
 * Reads the comments; undefined if the table is not from knocklib or has an unknown layout. Anybody
 * who may change the table can write comments. So words that no spec can contain are refused, and
 * none of them reaches a terminal.
 */
export function parseAbout(comments: readonly string[]): About | undefined {
  const [first = ''] = comments
  if (!isOurs(comments) || !first.startsWith(`knocklib ${LAYOUT} `)) return undefined
  const digest = first.slice(first.lastIndexOf(' ') + 1)
  const doors = new Map<string, DoorSummary>()
  const attempts = new Map<string, string>()
  let log: number | undefined
  let doorsDigest: string | undefined
  let place: Automaton['place']
  let guardPrefix: Prefix | undefined
  for (const comment of comments.slice(1)) {
    const [word = '', name = '', ...rest] = comment.split(' ')
    if (!OF_TABLE.includes(word) && !DOOR.test(name)) return undefined
    const known = doors.get(name)
    const door = word === 'door' ? parseDoor(name, rest) : undefined
    const where = word === 'at' ? joinPlace(known?.place, rest) : joinPlace(place, [name, ...rest])
    const prefix = parsePrefix(word === 'guard' ? [name, ...rest] : rest)
    const [first = '', second = '', digest = ''] = rest
    if (door) {
      doors.set(name, door)
    } else if (word === 'doors' && DIGEST.test(name) && rest.length === 0) {
      doorsDigest = name
    } else if (word === 'log' && NUMBER.test(name) && rest.length === 0) {
      log = Number(name)
    } else if (word === 'guard' && prefix) {
      guardPrefix = prefix
    } else if (word === 'prefix' && known && prefix) {
      doors.set(name, { ...known, prefix })
    } else if (word === 'interface' && where) {
      place = where
    } else if (word === 'knock' && known && isKnock(rest)) {
      const knock = { attempt: first as Attempt, steps: Number(second) }
      doors.set(name, { ...known, knocks: [...known.knocks, knock] })
      attempts.set(`${name} ${first}`, digest)
    } else if (word === 'user' && known && isUser(rest)) {
      const knocks = known.knocks.map((knock) =>
        knock.attempt === first ? withUser(knock, second, digest) : knock,
      )
      doors.set(name, { ...known, knocks })
    } else if (word === 'close' && known && isClose(rest)) {
      attempts.set(`${name} ${second || 'close'}`, first)
    } else if (word === 'service' && known && rest.length === 1 && parseService(first)) {
      doors.set(name, { ...known, services: [...known.services, first] })
    } else if (word === 'at' && known && where) {
      doors.set(name, { ...known, place: where })
    } else if (word === 'shared' && known && withKnock(known, rest)) {
      doors.set(name, { ...known, shared: withKnock(known, rest) as SharedSummary })
    } else {
      return undefined
    }
  }
  if (doorsDigest === undefined) return undefined
  const about = { layout: LAYOUT, digest, doors: [...doors.values()], doorsDigest, attempts }
  const optional = { ...(place && { place }), ...(guardPrefix && { guardPrefix }) }
  return { ...about, ...(log !== undefined && { log }), ...optional }
}

/** The lines that are about no door. */
const OF_TABLE: readonly string[] = ['log', 'doors', 'guard', 'interface']

/** The forms that the schema of specs gives to names, and the compiler to attempts. */
const DOOR = /^[A-Za-z_](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9_])?$/
const ATTEMPT = /^open\d{0,4}$/
const CLOSING = /^close\d{0,4}$/
const NUMBER = /^\d{1,10}$/
const DIGEST = new RegExp(`^[0-9a-f]{${ATTEMPT_DIGITS}}$`)

const isKnock = ([attempt = '', steps = '', digest = '', ...more]: readonly string[]): boolean =>
  ATTEMPT.test(attempt) && NUMBER.test(steps) && DIGEST.test(digest) && more.length === 0

const isClose = ([digest = '', attempt = 'close', ...more]: readonly string[]): boolean =>
  DIGEST.test(digest) && CLOSING.test(attempt) && more.length === 0
