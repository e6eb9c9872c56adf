// The key fields of sets → nft's expressions and types for one family; and the basic expressions.
// Pure.
import { isPerFamily, type KeyField, type TimedSet } from '../../automaton/language/sets.js'
import { NUMBER_MASK } from '../../automaton/sharing/names.js'
import { TOKEN_AT } from '../../spec/derive/carrier.js'
import { TOKEN_LENGTH } from '../../spec/derive/derivation.js'
import type { Carrier } from '../../spec/model/model.js'
import type { Family } from '../../spec/model/packet-model.js'
import { lengthIn, maskOf } from '../../spec/model/prefix.js'
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

/** Reads bytes of UDP's payload. nft counts bits, from the header on. */
export const dataOfUdp = (at: number, bytes: number): NftExpression => ({
  payload: { base: 'th', offset: 8 * (UDP_HEADER + at), len: 8 * bytes },
})

const tokenOf = (carrier: Carrier): NftExpression => dataOfUdp(TOKEN_AT[carrier], TOKEN_LENGTH)

/**
 * nft 1.0.6 has no type for a plain number of 32 bits as a key. It takes a hash for any type of
 * that size. Two sequence numbers share a hash by a chance of 1 in 2³¹.
 */
const SEQUENCE: NftExpression = {
  jhash: { mod: 2 ** 31 - 1, seed: 1, expr: payload('tcp', 'sequence') },
}

type TokenField = `${Carrier}-token`

const KEY_TYPE: Readonly<Record<Exclude<KeyField, TokenField>, (family: Family) => string>> = {
  source: (family) => (family === 4 ? 'ipv4_addr' : 'ipv6_addr'),
  destination: (family) => (family === 4 ? 'ipv4_addr' : 'ipv6_addr'),
  sourcePort: () => 'inet_service',
  port: () => 'inet_service',
  sequence: () => 'mark',
  all: () => 'mark',
  constant: () => 'mark',
  knock: () => 'mark',
}

const KEY_FIELD: Readonly<Record<KeyField, (family: Family, constant: number) => NftExpression>> = {
  source: (family) => payload(ip(family), 'saddr'),
  destination: (family) => payload(ip(family), 'daddr'),
  sourcePort: () => payload('th', 'sport'),
  port: () => payload('th', 'dport'),
  sequence: () => SEQUENCE,
  // A constant. nft takes no literal as a key.
  all: () => ({ '&': [meta('mark'), 0] }),
  // nft lists a number in this form, whatever the mask was.
  constant: (_, constant) => ({ '|': [{ '&': [meta('mark'), constant] }, constant] }),
  knock: () => ({ '&': [meta('mark'), NUMBER_MASK] }),
  'udp-token': () => tokenOf('udp'),
  'stun-token': () => tokenOf('stun'),
  'dns-token': () => tokenOf('dns'),
}

/**
 * Renders the type of a set: by name; or by an example (`typeof`, since nft 1.1) if it has no named
 * type. The example is the same for all carriers, so that a door's used tokens stay when its
 * carrier changes: the kernel knows no more of them than that they are 16 bytes.
 */
export function renderType(fields: readonly KeyField[], family: Family): NftValue {
  if (fields.some(isToken)) return { typeof: tokenOf('udp') }
  const named = fields.flatMap((field) => (isToken(field) ? [] : [KEY_TYPE[field](family)]))
  return named.length === 1 ? (named[0] as string) : named
}

const isToken = (field: KeyField): field is TokenField => field.endsWith('-token')

/** The fields of a set's key, and the blocks that are its sources. */
export type SetKey = Pick<TimedSet, 'key' | 'prefix'>

/** @param constant - what the field `constant` is. */
export function renderKey({ key, prefix }: SetKey, family: Family, constant = 0): NftExpression {
  const length = lengthIn(prefix, family)
  const parts = key.map((field): NftExpression => {
    const part = KEY_FIELD[field](family, constant)
    return field === 'source' && length !== undefined
      ? { '&': [part, maskOf(family, length)] }
      : part
  })
  return parts.length === 1 ? (parts[0] as NftExpression) : { concat: parts }
}

/** Names a set for a family. A set without addresses serves both families. */
export const nameOfSet = (set: string, { key, prefix }: SetKey, family: Family): string =>
  isPerFamily({ key }) ? familySet(set, family, prefix) : commonSet(set)
