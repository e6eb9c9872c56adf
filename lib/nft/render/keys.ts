// The key fields of sets → nft's expressions and types for one family; and the basic expressions.
// Pure.
import { isPerFamily, type KeyField } from '../../automaton/language/automaton.js'
import type { Family } from '../../spec/model/model.js'
import type { NftExpression, NftStatement, NftValue } from '../document.js'
import { commonSet, familySet } from '../names.js'

export const UDP_HEADER = 8

/** Reads a field of a header. */
export const payload = (protocol: string, field: string): NftExpression => ({
  payload: { protocol, field },
})
export const meta = (key: string): NftExpression => ({ meta: { key } })
export const ip = (family: Family): string => (family === 4 ? 'ip' : 'ip6')

export const compare = (
  op: '==' | '!=' | 'in',
  left: NftExpression,
  right: NftValue,
): NftStatement => ({
  match: { op, left, right },
})

/** Protocol and destination port: the key of dispatch maps. */
export const PORT_KEY: NftExpression = { concat: [meta('l4proto'), payload('th', 'dport')] }

/** Protocol, destination port and time: the key of sets of ports that change. */
export const PERIOD_KEY: NftExpression = {
  concat: [meta('l4proto'), payload('th', 'dport'), meta('time')],
}

/** The 16 bytes behind the UDP header. */
const TOKEN: NftExpression = { payload: { base: 'th', offset: 8 * UDP_HEADER, len: 128 } }

/**
 * nft 1.0.6 has no type for a plain number of 32 bits as a key. It takes a hash for any type of
 * that size. Two sequence numbers share a hash by a chance of 1 in 2³¹.
 */
const SEQUENCE: NftExpression = {
  jhash: { mod: 2 ** 31 - 1, seed: 1, expr: payload('tcp', 'sequence') },
}

const KEY_TYPE: Readonly<Record<Exclude<KeyField, 'token'>, (family: Family) => string>> = {
  source: (family) => (family === 4 ? 'ipv4_addr' : 'ipv6_addr'),
  destination: (family) => (family === 4 ? 'ipv4_addr' : 'ipv6_addr'),
  sourcePort: () => 'inet_service',
  port: () => 'inet_service',
  sequence: () => 'mark',
  all: () => 'mark',
}

const KEY_FIELD: Readonly<Record<KeyField, (family: Family) => NftExpression>> = {
  source: (family) => payload(ip(family), 'saddr'),
  destination: (family) => payload(ip(family), 'daddr'),
  sourcePort: () => payload('th', 'sport'),
  port: () => payload('th', 'dport'),
  sequence: () => SEQUENCE,
  // A constant. nft takes no literal as a key.
  all: () => ({ '&': [meta('mark'), 0] }),
  token: () => TOKEN,
}

/**
 * Renders the type of a set: by name; or by an example (`typeof`, since nft 1.1) if a field has no
 * named type.
 */
export function renderType(fields: readonly KeyField[], family: Family): NftValue {
  const named = fields.flatMap((field) => (field === 'token' ? [] : [KEY_TYPE[field](family)]))
  if (named.length < fields.length) return { typeof: renderKey(fields, family) }
  return named.length === 1 ? (named[0] as string) : named
}

export function renderKey(fields: readonly KeyField[], family: Family): NftExpression {
  const parts = fields.map((field) => KEY_FIELD[field](family))
  return parts.length === 1 ? (parts[0] as NftExpression) : { concat: parts }
}

/** Names a set for a family. A set without addresses serves both families. */
export const nameOfSet = (set: string, key: readonly KeyField[], family: Family): string =>
  isPerFamily({ key }) ? familySet(set, family) : commonSet(set)
