// A client's profile ↔ a URI, `knocklib://HOST[:PORT]/DOOR#KIND&…`: to be shown as a QR code, sent,
// or pasted. Pure.
//
// All that a knock is made of stands in the fragment, which programs send to no server and write
// into no log (RFC 3986, section 3.5).
import { CLIENT_KINDS } from '../automaton/kinds/client-kinds.js'
import { ArgumentError } from '../errors.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import { decode, encode, type Item, joinFragment, splitFragment } from './fragment.js'
import { readProfile, requireProfile } from './profile.js'

/** Keys that every kind of knock has beside its own, by their names in a URI. */
const COMMON = new Map<string, 'for' | 'connections' | 'gap' | 'addresses'>([
  ['for', 'for'],
  ['connections', 'connections'],
  ['gap', 'gap'],
  ['addr', 'addresses'],
])

export interface UriOptions {
  /** Which door of a profile that has several. */
  readonly door?: string | undefined
}

/**
 * Writes a profile as a URI, such as `knocklib://server.example:22/ssh#token&port=udp/6000&
 * secret=…`. It holds the secret.
 *
 * @throws ProfileError if the profile is wrong, or the door is none of its doors.
 * @throws ArgumentError if the profile names no host, keeps its secret in a file, or has one-time
 * sequences, which are taken out of a file.
 */
export async function profileToUri(
  profile: KnockProfile,
  { door }: UriOptions = {},
): Promise<string> {
  const { host, port, door: name, knock } = await readProfile(profile, 'profileToUri', door)
  if (host === undefined) {
    throw new ArgumentError('profileToUri: /host: expected a name or an address, got nothing')
  }
  const written = profile.doors?.[name ?? ''] ?? profile
  const place = host.includes(':') ? `[${encode(host)}]` : encode(host)
  const items = [
    ...itemsOf(knock.kind, written[knock.kind] as object),
    ...[...COMMON].flatMap(([key, name]): Item[] => {
      const value = name === 'addresses' ? profile.addresses : written[name]
      return value === undefined ? [] : [[key, String(value)]]
    }),
  ]
  const service = port === undefined ? '' : `:${port}`
  return `knocklib://${place}${service}/${name ?? ''}#${joinFragment(items)}`
}

/** Writes the part of a kind: a list behind its key, and an object as the key and its own keys. */
function itemsOf(kind: string, part: object): Item[] {
  if (Array.isArray(part)) {
    if (part.some(Array.isArray)) {
      throw new ArgumentError(
        `profileToUri: /${kind}: expected a knock that needs no file of its own`,
      )
    }
    return [[kind, part.map(stepText).join(',')]]
  }
  const { secret, ...others } = part as Readonly<Record<string, unknown>>
  if (others['secretFile'] !== undefined) {
    const expected = 'the secret itself, since a URI is read where the file is not'
    throw new ArgumentError(`profileToUri: /${kind}/secretFile: expected ${expected}`)
  }
  const values = Object.entries(others).filter(([, value]) => value !== undefined)
  return [
    [kind, undefined],
    ...values.map(([key, value]): Item => [key, String(value)]),
    ...(secret === undefined ? [] : [['secret', requireText(String(secret))] as const]),
  ]
}

/** A text that is no Unicode has no bytes: what is read back would be another secret. */
function requireText(text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text
  throw new ArgumentError('profileToUri: secret: expected Unicode text, got half a character')
}

/** Writes a step that is an object as `udp/8000:length=64` or `tcp/7000:flags=syn.!ack`. */
function stepText(step: unknown): string {
  if (typeof step !== 'object' || step === null) return String(step)
  const { protocol, port, flags, length } = step as Readonly<Record<string, unknown>>
  const name = port === undefined ? String(protocol) : `${protocol}/${port}`
  if (flags !== undefined) return `${name}:flags=${String(flags).replaceAll(',', '.')}`
  return length === undefined ? name : `${name}:length=${length}`
}

/** Reads what `stepText` writes. Anything else is left for the schema to judge. */
function readStep(text: string): unknown {
  const match = /^(tcp|udp|icmp|icmpv6)(?:\/([0-9]{1,5}))?:(flags|length)=(.*)$/.exec(text)
  if (!match) return numberOr(text)
  const [, protocol, port, key, value = ''] = match
  return {
    protocol,
    ...(port !== undefined && { port: Number(port) }),
    ...(key === 'flags' ? { flags: value.replaceAll('.', ',') } : { length: numberOr(value) }),
  }
}

const FORM = 'knocklib://HOST[:PORT]/DOOR#…'

/**
 * Reads a URI as `profileToUri` writes it. No message of an error echoes the fragment, which holds
 * the secret, but for a key or a value that is wrong.
 *
 * @throws ArgumentError if the text is no such URI.
 * @throws ProfileError if what it holds is no valid profile.
 */
export async function profileFromUri(uri: string): Promise<KnockProfile> {
  const [, place = '', path, fragment] =
    /^knocklib:\/\/([^/?#]*)(?:\/([^#]*))?(?:#(.*))?$/is.exec(uri) ?? fail(`expected ${FORM}`)
  const { host, port } = readPlace(place)
  if (/[/?]/.test(path ?? '')) fail(`expected nothing but a door's name before #, as in ${FORM}`)
  if (fragment === undefined) fail(`expected #, and a knock behind it, as in ${FORM}`)
  const [[kind, list], ...items] = splitFragment(fragment, failIn) as [Item, ...Item[]]
  if (!Object.hasOwn(CLIENT_KINDS, kind)) {
    failIn(`expected one of ${Object.keys(CLIENT_KINDS).join(', ')} first, got another key`)
  }
  const part: Record<string, unknown> = {}
  const whole: Record<string, unknown> = {}
  for (const [key, value] of items) {
    if (value === undefined) return failIn(`${key}: expected a value, got nothing`)
    const common = COMMON.get(key)
    if (common === undefined && list !== undefined) failIn(`${key}: expected no such key`)
    if (common === 'addresses') whole[common] = value.split(',')
    else if (common !== undefined) whole[common] = numberOr(value)
    else part[key] = key === 'secret' ? value : readValue(value)
  }
  const door = decode(path ?? '', fail)
  const profile = {
    host,
    ...(door !== '' && { door }),
    ...(port !== undefined && { port }),
    [kind]: list === undefined ? part : list.split(',').map(readStep),
    ...whole,
  }
  return requireProfile(profile, 'profileFromUri')
}

/** Reads digits as a number, and what has commas as a list. */
const readValue = (value: string): unknown =>
  value.includes(',') ? value.split(',').map(numberOr) : numberOr(value)

const numberOr = (text: string): number | string =>
  /^(0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : text

function readPlace(place: string): { host: string; port?: number } {
  const match = /^(?:\[([^\]@]+)\]|([^:@[\]]+))(?::([1-9][0-9]{0,4}))?$/.exec(place)
  if (!match)
    return fail(`expected HOST or HOST:PORT behind knocklib://, got ${place || 'nothing'}`)
  const [, bracketed, name, port] = match
  const host = decode(bracketed ?? name ?? '', fail)
  return port === undefined ? { host } : { host, port: Number(port) }
}

function fail(reason: string): never {
  throw new ArgumentError(`profileFromUri: ${reason}`)
}

const failIn = (reason: string): never => fail(`behind #: ${reason}`)
