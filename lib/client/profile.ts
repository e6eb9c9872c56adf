// An unknown document → a valid profile, or every problem at once. Pure.
import { CLIENT_KINDS, type ClientKnock, clientKindOf } from '../automaton/kinds/client-kinds.js'
import { ProfileError } from '../errors.js'
import type { KnockProfile, ProfileDoor } from '../spec/generated/client-types.js'
import { expected } from '../spec/generated/expected-client.js'
import type { Address } from '../spec/model/address.js'
import { EXPECTED_GAP, parseGap } from '../spec/model/duration.js'
import { at, type Findings } from '../spec/model/findings.js'
import { readDuration } from '../spec/model/read-values.js'
import { addErrors, findErrors, type Validator } from '../spec/schema-errors.js'
import { readAddress } from './read-address.js'

/** One door of a profile, its defaults filled in. */
export interface ValidProfile {
  readonly knock: ClientKnock
  readonly host?: string
  /** Of the host, in place of those that its name has. */
  readonly addresses?: readonly Address[]
  /** The door's name. */
  readonly door?: string
  /** The TCP port of the service behind it. */
  readonly port?: number
  /** Seconds for which it stays open. */
  readonly lasts?: number
  /** How many connections a knock opens it for. */
  readonly connections?: number
  /** Milliseconds between two packets of a sequence. */
  readonly gap?: number
}

/**
 * Validates a profile and fills in the defaults of one of its doors. The document is left as it is.
 *
 * @param subject - what an error's message begins with.
 * @param door - which one of several; of one that has no name, and of a single one, undefined will
 * do.
 * @throws ProfileError with all problems, in the order of the document's parts.
 */
export async function readProfile(
  document: unknown,
  subject: string,
  door?: string,
): Promise<ValidProfile> {
  const findings = await checkProfile(document)
  const profiles = findings.isClean('') ? readDoors(document as KnockProfile, findings) : []
  const named = (profile: ValidProfile) => door === undefined || profile.door === door
  const chosen = profiles.filter(named)
  if (findings.problems.length === 0 && chosen.length !== 1) {
    const names = profiles.map((profile) => profile.door).filter((name) => name !== undefined)
    findings.add(names.length > 0 ? '/doors' : '/door', chooseOf(names, door))
  }
  const [profile] = chosen
  if (!profile || findings.problems.length > 0) throw new ProfileError(subject, findings.sorted())
  return profile
}

const chooseOf = (names: readonly string[], door: string | undefined): string =>
  door === undefined ? `one of these to be named: ${names.join(', ')}` : `a door named ${door}`

/**
 * Validates a profile, all of its doors.
 *
 * @throws ProfileError with all problems, in the order of the document's parts.
 */
export async function requireProfile(document: unknown, subject: string): Promise<KnockProfile> {
  const findings = await checkProfile(document)
  if (findings.isClean('')) readDoors(document as KnockProfile, findings)
  if (findings.problems.length > 0) throw new ProfileError(subject, findings.sorted())
  return document as KnockProfile
}

/** Finds what the schema refuses. The validator is loaded when it is needed. */
async function checkProfile(document: unknown): Promise<Findings> {
  const { validate } = await import('../spec/generated/validate-client.js')
  const isProfile = validate as Validator
  const findings = findErrors(isProfile, document, expected)
  if (!findings.isClean('')) return findings
  const { doors } = document as KnockProfile
  if (doors === undefined || !findings.isClean('/doors')) return findings
  for (const [name, door] of Object.entries(doors)) {
    const path = `/doors${at(name)}`
    if (!findings.isClean(path)) continue
    for (const key of OF_PROFILE) {
      if (Object.hasOwn(door, key)) findings.add(`${path}${at(key)}`, 'no such key')
    }
    addErrors(isProfile, door, path, findings, expected)
  }
  return findings
}

type Key = ClientKnock['kind']
const KEYS = Object.keys(CLIENT_KINDS) as Key[]
/** Keys of one door, which have no place beside several. */
const OF_ONE = [...KEYS, 'door', 'port', 'for', 'connections', 'gap'] as const
/** Keys of the whole, which have no place in one of several. */
const OF_PROFILE = ['$schema', 'host', 'addresses', 'door', 'doors'] as const

function readDoors(profile: KnockProfile, findings: Findings): ValidProfile[] {
  const { doors, host } = profile
  const addresses = readAddresses(profile, findings)
  const whole = { ...(host !== undefined && { host }), ...(addresses && { addresses }) }
  const found = (door: ValidProfile | undefined) => (door ? [{ ...door, ...whole }] : [])
  if (doors === undefined) {
    return found(readDoor(profile, { path: '', name: profile.door, findings }))
  }
  for (const key of OF_ONE) {
    if (profile[key] !== undefined) {
      findings.conflict(at(key), '/doors', 'each of several doors has its own')
    }
  }
  if (!findings.isClean('/doors')) return []
  return Object.entries(doors).flatMap(([name, door]) => {
    const path = `/doors${at(name)}`
    return findings.isClean(path) ? found(readDoor(door, { path, name, findings })) : []
  })
}

function readAddresses(profile: KnockProfile, findings: Findings): Address[] | undefined {
  return profile.addresses?.flatMap((text, index) => {
    const address = readAddress(text)
    if (!address) findings.add(`/addresses/${index}`, 'an IPv4 or IPv6 address')
    return address ?? []
  })
}

/** Where one door stands in a profile. */
interface Place {
  /** Its JSON Pointer. */
  readonly path: string
  readonly name: string | undefined
  readonly findings: Findings
}

function readDoor(written: ProfileDoor, place: Place): ValidProfile | undefined {
  const { path, name, findings } = place
  const knock = readKnock(written, place)
  const lasts =
    written.for === undefined ? undefined : readDuration(written.for, `${path}/for`, findings)
  const { port, connections } = written
  const gap = written.gap === undefined ? undefined : parseGap(written.gap)
  if (written.gap !== undefined && gap === undefined) findings.add(`${path}/gap`, EXPECTED_GAP)
  return (
    knock && {
      knock,
      ...(name !== undefined && { door: name }),
      ...(port !== undefined && { port }),
      ...(lasts !== undefined && { lasts }),
      ...(connections !== undefined && { connections }),
      ...(gap !== undefined && { gap }),
    }
  )
}

function readKnock(profile: ProfileDoor, { path, name, findings }: Place): ClientKnock | undefined {
  const [key, ...others] = KEYS.filter((key) => profile[key] !== undefined)
  if (!key) {
    const rest = KEYS.slice(1)
    const names = `${rest.slice(0, -1).join(', ')} or ${rest.at(-1)}`
    findings.add(`${path}/steps`, `a list of steps, or ${names} in its place`)
    return undefined
  }
  for (const other of others) {
    const reason = 'a profile has only one kind of knock'
    findings.conflict(`${path}${at(other)}`, `${path}${at(key)}`, reason)
  }
  const kind = clientKindOf({ kind: key })
  if (profile.gap !== undefined && !kind.hasGap) {
    const reason = 'this kind of knock sets its own pauses'
    findings.conflict(`${path}/gap`, `${path}${at(key)}`, reason)
  }
  const part = { path: `${path}${at(key)}`, door: name, findings }
  return findings.isClean(part.path) ? kind.read(profile[key], part) : undefined
}
