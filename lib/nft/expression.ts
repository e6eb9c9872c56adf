// The automaton's matches, actions and verdicts → nft's expressions and statements, for one family. Pure.
import type { Action, IpProtocol, KeyField, Match, Verdict } from '../automaton/automaton.js'
import type { Cidr, Family } from '../spec/model.js'
import type { NftExpression, NftStatement, NftValue } from './document.js'
import { familySet } from './names.js'

/** IANA's numbers: listings print names or numbers, nft reads both. */
export const PROTOCOL: Readonly<Record<IpProtocol, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  icmpv6: 58,
}

/** Bytes of the headers before the payload that nft's length fields count: RFC 791, 8200, 768, 792. */
const HEADERS: Readonly<Record<Family, number>> = { 4: 20 + 8, 6: 8 }
const UDP_HEADER = 8

const payload = (protocol: string, field: string): NftExpression => ({
  payload: { protocol, field },
})
const meta = (key: string): NftExpression => ({ meta: { key } })
const ip = (family: Family): string => (family === 4 ? 'ip' : 'ip6')

const compare = (op: '==' | '!=' | 'in', left: NftExpression, right: NftValue): NftStatement => ({
  match: { op, left, right },
})

/** One value, or an anonymous set of several. */
const oneOf = (values: NftValue[]): NftValue =>
  values.length === 1 ? (values[0] as NftValue) : { set: values }

/** Protocol and destination port: the key of the dispatch maps. */
export const PORT_KEY: NftExpression = { concat: [meta('l4proto'), payload('th', 'dport')] }

/** How keys are made of, and what their fields are called as set types. */
export const KEY_TYPE: Readonly<Record<KeyField, (family: Family) => string>> = {
  source: (family) => (family === 4 ? 'ipv4_addr' : 'ipv6_addr'),
  sourcePort: () => 'inet_service',
  port: () => 'inet_service',
}

const KEY_FIELD: Readonly<Record<KeyField, (family: Family) => NftExpression>> = {
  source: (family) => payload(ip(family), 'saddr'),
  sourcePort: () => payload('th', 'sport'),
  port: () => payload('th', 'dport'),
}

export function renderKey(fields: readonly KeyField[], family: Family): NftExpression {
  const parts = fields.map((field) => KEY_FIELD[field](family))
  return parts.length === 1 ? (parts[0] as NftExpression) : { concat: parts }
}

export function renderCidr({ address, prefixLength, family }: Cidr): NftValue {
  if (prefixLength === (family === 4 ? 32 : 128)) return address
  return { prefix: { addr: address, len: prefixLength } }
}

/** Whether the match reads differently for IPv4 and IPv6. */
export function isFamilyMatch(match: Match): boolean {
  switch (match.kind) {
    case 'in':
    case 'not-in':
    case 'source':
    case 'destination':
    case 'echo-request':
      return true
    case 'length':
      return match.of === 'icmp'
    default:
      return false
  }
}

/** What the sets are keyed by, by name. */
export type KeyOf = (set: string) => readonly KeyField[]

/** Renders a match; undefined where no packet of the family fits it. */
export function renderMatch(match: Match, family: Family, keyOf: KeyOf): NftStatement | undefined {
  switch (match.kind) {
    case 'in':
    case 'not-in': {
      const key = renderKey(keyOf(match.set), family)
      return compare(match.kind === 'in' ? '==' : '!=', key, `@${familySet(match.set, family)}`)
    }
    case 'state': {
      const [first, ...rest] = match.states
      const states = rest.length > 0 ? [...match.states] : (first as string)
      return compare('in', { ct: { key: 'state' } }, states)
    }
    case 'protocol':
      return compare('==', meta('l4proto'), oneOf(match.protocols.map((name) => PROTOCOL[name])))
    case 'port':
      return compare('==', payload(match.protocol, 'dport'), match.port)
    case 'flags': {
      const masked = { '&': [payload('tcp', 'flags'), match.flags.mask] }
      return compare('==', masked, match.flags.value)
    }
    case 'length': {
      if (match.of === 'udp')
        return compare('==', payload('udp', 'length'), match.length + UDP_HEADER)
      return compare('==', payload(ip(family), 'length'), match.length + HEADERS[family])
    }
    case 'echo-request':
      return compare('==', payload(family === 4 ? 'icmp' : 'icmpv6', 'type'), 'echo-request')
    case 'source':
      return renderAddresses('saddr', match.addresses, family, false)
    case 'destination':
      return renderAddresses('daddr', match.addresses, family, match.not ?? false)
    case 'loopback':
      // By index, not by name: this is compared for each packet.
      return compare('==', meta('iif'), 'lo')
    case 'own-connection':
      // A socket that is bound to the packet's destination and not to any: a connection's own, not its listener's.
      return compare('==', { socket: { key: 'wildcard' } }, 0)
    case 'interface': {
      const names = oneOf([...match.names])
      return compare(match.not ? '!=' : '==', meta('iifname'), names)
    }
  }
}

function renderAddresses(
  field: 'saddr' | 'daddr',
  addresses: readonly Cidr[],
  family: Family,
  not: boolean,
): NftStatement | undefined {
  const own = addresses.filter((cidr) => cidr.family === family)
  if (own.length > 0) {
    return compare(not ? '!=' : '==', payload(ip(family), field), oneOf(own.map(renderCidr)))
  }
  // None of this family: every packet of it is elsewhere.
  return not ? matchFamily(family) : undefined
}

/** Holds for all packets of one family. */
export const matchFamily = (family: Family): NftStatement =>
  compare('==', meta('nfproto'), family === 4 ? 'ipv4' : 'ipv6')

export function renderAction(action: Action, family: Family, keyOf: KeyOf): NftStatement {
  if (action.op === 'count') return { counter: action.counter }
  const { op, set } = action
  return { set: { op, elem: renderKey(keyOf(set), family), set: `@${familySet(set, family)}` } }
}

export function renderVerdict(verdict: Verdict): NftStatement {
  switch (verdict.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return { [verdict.kind]: null }
    case 'jump':
    case 'goto':
      return { [verdict.kind]: { target: verdict.chain } }
    case 'dispatch':
      return { vmap: { key: PORT_KEY, data: `@${verdict.map}` } }
  }
}
