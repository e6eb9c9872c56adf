// A valid spec and who comes → the profile with which that client knocks. Pure.
import { kindOf, secretFilesOf } from '../automaton/kinds/kinds.js'
import { ArgumentError } from '../errors.js'
import type { KnockProfile, ProfileDoor } from '../spec/generated/client-types.js'
import { formatDuration } from '../spec/model/duration.js'
import type { ValidDoor, ValidKnock, ValidSpec, ValidUser } from '../spec/model/model.js'

export interface ProfileRequest {
  /** Default: the only one; of several doors, all that the user can open. */
  readonly door?: string | undefined
  /** Name or address of the server, as clients reach it. */
  readonly host: string
  /** Whose token. Default: the only user. */
  readonly user?: string | undefined
  /** Which of a door's knocks, counted from 1. Default: the only one that is fit. */
  readonly knock?: number | undefined
  /**
   * Where the client has the secret. Default: the name of the server's file, beside the profile.
   */
  readonly secretFile?: string | undefined
}

const OPERATION = 'profileFromSpec'

const wrong = (path: string, expected: string, got: string): ArgumentError =>
  new ArgumentError(`${OPERATION}: ${path}: expected ${expected}, got ${got}`)

/**
 * Writes the profile of a door, or of several doors if none is named. No secret is in it: a token
 * and a rotation name the file that has it.
 *
 * @throws ArgumentError if no door, user or knock has the name or number, or it is not clear which
 * one is meant; the message names those that there are.
 */
export function profileFromSpec(spec: ValidSpec, request: ProfileRequest): KnockProfile {
  const { door: name, host, user } = request
  const doors = spec.doors.filter((door) => name === undefined || door.name === name)
  if (doors.length === 0) {
    throw wrong('--door', oneOf(spec.doors.map((door) => door.name)), String(name))
  }
  requireUser(doors, user)
  const usable = doors.filter((door) => findChoices(door, user).length > 0)
  const [only] = usable
  if (only && doors.length === 1) {
    return { host, door: only.name, ...profileOf(only, request) }
  }
  const parts = usable.map((door) => [door.name, profileOf(door, request)] as const)
  return { host, doors: Object.fromEntries(parts) }
}

/**
 * Finds the secret of the door's knock, as the server has it. For formats that hold the secret.
 *
 * @returns the path of its file; undefined if the knock has none.
 * @throws ArgumentError as `profileFromSpec`, and if no door is named and there are several.
 */
export function serverSecretOf(spec: ValidSpec, request: ProfileRequest): string | undefined {
  const names = spec.doors.map((door) => door.name)
  const [door, ...others] = spec.doors.filter(
    ({ name }) => request.door === undefined || name === request.door,
  )
  if (!door || others.length > 0) throw wrong('--door', oneOf(names), request.door ?? 'none')
  requireUser([door], request.user)
  return secretOf(door, choose(door, request), request)
}

function requireUser(doors: readonly ValidDoor[], user: string | undefined): void {
  const users = doors.flatMap(choicesOf).flatMap(namesOf)
  if (user === undefined || users.includes(user)) return
  const expected = users.length > 0 ? oneOf(users) : 'no user, since no knock here has users'
  throw wrong('--user', expected, user)
}

const oneOf = (names: readonly string[]): string =>
  names.length === 1 ? String(names[0]) : `one of ${[...new Set(names)].join(', ')}`

/** A place of the spec that has a knock, and who can use it. */
interface Choice {
  readonly knocks: readonly [ValidKnock, ...ValidKnock[]]
  /** The number of the place, counted from 1. */
  readonly number: number
  readonly users: readonly ValidUser[]
}

const namesOf = ({ users }: Choice): string[] => users.map(({ name }) => name)

/** A list of one-time sequences is one place and several knocks. */
function choicesOf({ knocks }: ValidDoor): Choice[] {
  const places = new Map<string, ValidKnock[]>()
  for (const knock of knocks) {
    places.set(knock.origin, [...(places.get(knock.origin) ?? []), knock])
  }
  return [...places.values()].map((found, index) => {
    const [first] = found as [ValidKnock, ...ValidKnock[]]
    const users = kindOf(first).usersOf?.(first) ?? []
    return { knocks: found as [ValidKnock, ...ValidKnock[]], number: index + 1, users }
  })
}

/** The knocks that a user can make: those with the user's secret, or else those of everybody. */
function findChoices(door: ValidDoor, user: string | undefined): Choice[] {
  const all = choicesOf(door)
  if (user === undefined) return all
  const own = all.filter((choice) => namesOf(choice).includes(user))
  return own.length > 0 ? own : all.filter(({ users }) => users.length === 0)
}

function profileOf(door: ValidDoor, request: ProfileRequest): ProfileDoor {
  const choice = choose(door, request)
  const { knocks } = choice
  const [first] = knocks
  const theirs = secretOf(door, choice, request)
  const secretFile = request.secretFile ?? baseName(theirs ?? '')
  const { for: lasts, connections } = door.open
  const port = portOf(door)
  const gap = gapOf(first)
  return {
    ...(port !== undefined && { port }),
    for: formatDuration(lasts),
    ...(connections !== undefined && { connections }),
    ...kindOf(first).profileOf(knocks, secretFile),
    ...(gap !== undefined && { gap }),
  }
}

function secretOf(door: ValidDoor, choice: Choice, request: ProfileRequest): string | undefined {
  const { knocks, users } = choice
  return users.length === 0
    ? secretFilesOf(knocks[0])[0]
    : chooseUser(door, users, request.user).secretFile
}

function choose(door: ValidDoor, { user, knock }: ProfileRequest): Choice {
  const all = choicesOf(door)
  const choices = findChoices(door, user)
  const chosen = choices.filter(({ number }) => knock === undefined || number === knock)
  const [choice, ...others] = chosen
  if (choice && others.length === 0) return choice
  const shown = all.map(({ knocks: [{ type }], number }) => `${number} (${type})`)
  const got = knock === undefined ? 'none' : String(knock)
  throw wrong('--knock', `one of the knocks of ${door.name}: ${shown.join(', ')}`, got)
}

function chooseUser(door: ValidDoor, users: readonly ValidUser[], name?: string): ValidUser {
  const found = users.filter((user) => name === undefined || user.name === name)
  const [user, ...others] = found
  if (user && others.length === 0) return user
  const expected = `${oneOf(users.map((user) => user.name))} for the door ${door.name}`
  throw wrong('--user', expected, name ?? 'none')
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The first TCP port of the service: where a connection goes. */
const portOf = ({ services }: ValidDoor): number | undefined =>
  services.find(({ protocol, ports }) => protocol === 'tcp' && ports)?.ports?.from

/** Milliseconds between two packets, unless the times of the knock ask for less. */
const USUAL_GAP = 100

/** A pause that leaves half of the time to the network; undefined if the usual one does. */
function gapOf(knock: ValidKnock): string | undefined {
  if (!('stepTimeout' in knock)) return undefined
  const pauses = kindOf(knock).lengthOf(knock) - 1
  if (pauses < 1) return undefined
  const whole = (knock.timeout ?? knock.stepTimeout * pauses) / pauses
  const most = Math.floor((Math.min(whole, knock.stepTimeout) * 1000) / 2)
  return most < USUAL_GAP ? `${most}ms` : undefined
}
