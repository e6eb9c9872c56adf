// A statement, as knocklib wrote it or as any version of nft lists it → one form of both. Pure.
//
// nft 1.0.6 to 1.1.7 list a statement in other words than it was written: names for numbers (TCP
// flags, protocols), masks as lists or as unions, the protocol that the rule matched before for
// `th`, bits in a mask that are set anyway, and object keys in another order. nft 1.0.6 lists the
// statement `map` as text. Nothing else differs.
import { parseProtocol } from '../spec/model/protocol.js'
import { isContent, listOf } from './parts.js'

const FLAGS: Readonly<Record<string, number>> = {
  fin: 1,
  syn: 2,
  rst: 4,
  psh: 8,
  ack: 16,
  urg: 32,
  ecn: 64,
  cwr: 128,
}

/** Stands for a protocol with an unknown name: /etc/protocols may have any. */
const UNKNOWN = '?'

type Content = Readonly<Record<string, unknown>>

/** Writes a statement in its one form, as text. */
export const canonicalText = (statement: unknown): string =>
  JSON.stringify(canonical(typeof statement === 'string' ? parseMapped(statement) : statement))

const MAPPED = new RegExp(
  /^(add|update|delete) @(\w+) \{ (\w+) (\w+)(?: & ([\d.a-f:]+))?/.source +
    /(?: timeout (\w+))? : meta (\w+) \}$/.source,
)

/**
 * Reads `update @MAP { ip saddr & 255.0.0.0 timeout 1m30s : meta mark }`; other text stays as it
 * is.
 */
function parseMapped(text: string): unknown {
  const [, op, map, protocol, field, mask, timeout, key] = MAPPED.exec(text) ?? []
  if (op === undefined) return text
  const whole = { payload: { protocol, field } }
  const val = mask === undefined ? whole : { '&': [whole, mask] }
  const seconds = timeout === undefined ? undefined : secondsOf(timeout)
  const elem = seconds === undefined ? val : { elem: { val, timeout: seconds } }
  return { map: { op, elem, data: { meta: { key } }, map: `@${map}` } }
}

/** nft's times have only the units that are not 0: `1d2h3m4s`. NaN if it is no such time. */
function secondsOf(time: string): number {
  const [, ...parts] = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(time) ?? [undefined]
  const [days, hours, minutes, seconds] = parts.map((part = '0') => Number(part))
  return (((days ?? NaN) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)
}

/**
 * Whether a listed text is equal to the document's. A protocol with an unknown name is equal to any
 * number.
 */
export function isSameText(expected: string | undefined, found: string): boolean {
  if (expected === found || expected === undefined) return expected === found
  const unknown = JSON.stringify(UNKNOWN)
  if (!found.includes(unknown)) return false
  const parts = found.split(unknown).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('\\d+')}$`).test(expected)
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value === 'string') return numberOf(value)
  if (!isContent(value)) return value
  const { match, payload, '|': union } = value
  if (isContent(match)) return { match: canonicalMatch(match) }
  if (isContent(payload)) return { payload: canonicalPayload(payload) }
  if (Array.isArray(union)) return { '|': canonicalUnion(union) }
  return sorted(value)
}

const sorted = (value: Content): Content =>
  Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, key === 'set' ? canonicalSet(value[key]) : canonical(value[key])]),
  )

/** Of `x & MASK | BITS` nft lists a mask that has the bits too. The form has a mask without. */
function canonicalUnion(union: readonly unknown[]): unknown {
  const [masked, bits, ...rest] = union
  const [what, mask] = listOf(isContent(masked) ? masked['&'] : undefined)
  if (typeof mask !== 'number' || typeof bits !== 'number' || rest.length > 0) {
    return union.map(canonical)
  }
  return [{ '&': [canonical(what), (mask & ~bits) >>> 0] }, bits]
}

/** Sorted, since nft lists the elements of an anonymous set in any order. */
function canonicalSet(elements: unknown): unknown {
  const own = canonical(elements)
  return Array.isArray(own)
    ? own.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : own
}

/** nft 1.0.6 lists a port of conntrack as `0x8ae [invalid type]`. */
function numberOf(text: string): unknown {
  const [, digits] = /^0x([0-9a-f]+) \[invalid type\]$/.exec(text) ?? []
  return digits === undefined ? text : Number.parseInt(digits, 16)
}

/** nft lists the protocol that the rule matched before; the renderer writes `th`. */
function canonicalPayload(payload: Content): Content {
  const { protocol, field } = payload
  const isPort = field === 'sport' || field === 'dport'
  return sorted(
    isPort && ['tcp', 'udp'].includes(`${protocol}`) ? { ...payload, protocol: 'th' } : payload,
  )
}

function canonicalMatch({ op, left, right }: Content): Content {
  const masked = isContent(left) ? left['&'] : undefined
  const [what, mask] = listOf(masked)
  if (isFlags(left)) {
    // `tcp flags ! syn,rst` means that none of these is set.
    return op === '!'
      ? { left: { '&': [canonical(left), flagsOf(right)] }, op: '==', right: 0 }
      : { left: canonical(left), op, right: flagsOf(right) }
  }
  if (isFlags(what)) {
    return { left: { '&': [canonical(what), flagsOf(mask)] }, op, right: flagsOf(right) }
  }
  if (isProtocol(left)) return { left: canonical(left), op, right: protocolOf(right) }
  return { left: canonical(left), op, right: canonical(right) }
}

const isFlags = (value: unknown): boolean => fieldOf(value, 'payload') === 'flags'
const isProtocol = (value: unknown): boolean =>
  fieldOf(value, 'exthdr') === 'nexthdr' ||
  (isContent(value) && isContent(value['meta']) && value['meta']['key'] === 'l4proto')

function fieldOf(value: unknown, kind: string): unknown {
  const content = isContent(value) ? value[kind] : undefined
  return isContent(content) ? content['field'] : undefined
}

function flagsOf(value: unknown): unknown {
  if (typeof value === 'string') return FLAGS[value] ?? value
  const names = isContent(value) ? value['|'] : value
  if (!Array.isArray(names)) return canonical(value)
  const bits = names.map(flagsOf)
  return bits.every((bit) => typeof bit === 'number') ? bits.reduce((a, b) => a | b, 0) : names
}

function protocolOf(value: unknown): unknown {
  if (typeof value === 'string') {
    if (value.startsWith('@')) return value
    return value === 'ip' ? 0 : (parseProtocol(value) ?? UNKNOWN)
  }
  const members = isContent(value) ? value['set'] : undefined
  if (!Array.isArray(members)) return canonical(value)
  return { set: canonicalSet(members.map(protocolOf)) }
}
