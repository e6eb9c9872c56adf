// The automaton's matches, actions and verdicts → nft's expressions and statements, for one family.
// Pure.
import type {
  Action,
  IpProtocol,
  KeyField,
  Match,
  Verdict,
} from '../../automaton/language/automaton.js'
import type { Cidr, Family, PortRange } from '../../spec/model/model.js'
import { NUMBER } from '../../spec/model/protocol.js'
import type { NftExpression, NftStatement, NftValue } from '../document.js'
import { commonSet } from '../names.js'
import {
  compare,
  ip,
  meta,
  nameOfSet,
  PERIOD_KEY,
  PORT_KEY,
  payload,
  renderKey,
  UDP_HEADER,
} from './keys.js'
import { renderPiece4, renderPiece6 } from './piece.js'

/**
 * Bytes of the headers before the payload that nft's length fields count: RFC 791, 8200, 768, 792.
 */
const HEADERS: Readonly<Record<Family, number>> = { 4: 20 + 8, 6: 8 }

/** One value, or an anonymous set of several. */
const oneOf = (values: NftValue[]): NftValue =>
  values.length === 1 ? (values[0] as NftValue) : { set: values }

export const renderRange = ({ from, to }: PortRange): NftValue =>
  from === to ? from : { range: [from, to] }

export function renderCidr({ address, prefixLength, family }: Cidr): NftValue {
  if (prefixLength === (family === 4 ? 32 : 128)) return address
  return { prefix: { addr: address, len: prefixLength } }
}

/** Whether a match of no set reads differently for IPv4 and IPv6. */
export function isFamilyMatch(match: Match): boolean {
  switch (match.kind) {
    case 'source':
    case 'destination':
    case 'echo-request':
    case 'piece':
      return true
    case 'length':
      return match.of === 'icmp'
    default:
      return false
  }
}

/** What the sets are keyed by, by name; ports that change by `period`. */
export type KeyOf = (set: string) => readonly KeyField[] | 'period'

/** A set of the automaton as nft knows it for a family: its name and its key. */
function renderSet(
  set: string,
  family: Family,
  keyOf: KeyOf,
): { name: string; key: NftExpression } {
  const fields = keyOf(set)
  if (fields === 'period') return { name: commonSet(set), key: PERIOD_KEY }
  return { name: nameOfSet(set, fields, family), key: renderKey(fields, family) }
}

/** Renders a match; undefined where no packet of the family fits it. */
export function renderMatch(match: Match, family: Family, keyOf: KeyOf): NftStatement | undefined {
  switch (match.kind) {
    case 'in':
    case 'not-in': {
      const { name, key } = renderSet(match.set, family, keyOf)
      return compare(match.kind === 'in' ? '==' : '!=', key, `@${name}`)
    }
    case 'state': {
      const [first, ...rest] = match.states
      const states = rest.length > 0 ? [...match.states] : (first as string)
      return compare('in', { ct: { key: 'state' } }, states)
    }
    case 'protocol': {
      const numbers = oneOf(match.protocols.map(numberOf))
      return compare(match.not ? '!=' : '==', meta('l4proto'), numbers)
    }
    case 'port':
      return compare('==', payload(match.protocol, 'dport'), renderRange(match.ports))
    case 'flags': {
      const masked = { '&': [payload('tcp', 'flags'), match.flags.mask] }
      return compare(match.not ? '!=' : '==', masked, match.flags.value)
    }
    case 'piece':
      return family === 4 ? renderPiece4(match.part) : renderPiece6(match.part)
    case 'transport-header':
      return compare('!=', meta('l4proto'), { set: [...SKIPPED_BY_OTHERS] })
    case 'no-more-headers':
      return compare('==', { payload: { base: 'th', offset: 0, len: 8 } }, NOTHING)
    case 'original-direction':
      return compare('==', { ct: { key: 'direction' } }, 'original')
    case 'redirected': {
      const port = { ct: { key: 'proto-dst', dir: 'original' } }
      return compare('==', port, oneOf(match.from.map(renderRange)))
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
      // A socket that is bound to the packet's destination and not to any: a connection's own, not
      // its listener's.
      return compare('==', { socket: { key: 'wildcard' } }, 0)
    case 'interface': {
      const names = oneOf([...match.names])
      return compare(match.not ? '!=' : '==', meta('iifname'), names)
    }
    case 'within-rate':
      return { limit: { rate: match.rate, burst: match.rate, per: 'second' } }
  }
}

/** Listings print names or numbers, nft reads both. */
const numberOf = (protocol: IpProtocol): number =>
  typeof protocol === 'number' ? protocol : NUMBER[protocol]

/**
 * RFC 7045: headers with more behind them that the kernel takes for the last one (mobility, HIP,
 * shim6, the two for experiments). ESP and AH are left out: a host reads what is behind those of
 * senders that have its key alone.
 */
const SKIPPED_BY_OTHERS = [135, 139, 140, 253, 254] as const
/** RFC 8200: the number of no next header, and all that honest senders of these write there. */
const NOTHING = 59

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

/**
 * The seconds that a rule gives to each element that it adds to a set; undefined where the set
 * itself does.
 */
export type TimeoutOf = (set: string) => number | undefined

export function renderAction(
  action: Action,
  family: Family,
  keyOf: KeyOf,
  timeoutOf: TimeoutOf = () => undefined,
): NftStatement {
  if (action.op === 'count') return { counter: action.counter }
  if (action.op === 'mark') return { mangle: { key: meta('mark'), value: action.value } }
  if (action.op === 'log') return renderLog(action)
  const { name, key } = renderSet(action.set, family, keyOf)
  const set = `@${name}`
  if (action.op === 'delete') return { set: { op: 'delete', elem: key, set } }
  const timeout = timeoutOf(action.set)
  const elem = timeout === undefined ? key : { elem: { val: key, timeout } }
  if (action.op !== 'claim' && action.op !== 'meet') return { set: { op: action.op, elem, set } }
  // The element's own limit is what only the first packet is within; the kernel locks it.
  return { set: { op: action.op === 'meet' ? 'update' : 'add', elem, set, stmt: [ONCE] } }
}

/** The headers and a token: IPv6 40, UDP 8 and 16 bytes are 64. */
const SNAPLEN = 128

/** Each packet by itself: the kernel keeps more than one back for a second. */
const renderLog = ({ group, prefix }: Extract<Action, { op: 'log' }>): NftStatement => ({
  log: { prefix, group, snaplen: SNAPLEN, 'queue-threshold': 1 },
})

const ONCE: NftStatement = { limit: { rate: 1, per: 'week', burst: 1 } }

export function renderVerdict(verdict: Verdict): NftStatement {
  switch (verdict.kind) {
    case 'reset':
      return { reject: { type: 'tcp reset' } }
    case 'redirect': {
      const { port, address, family } = verdict.to
      if (address === undefined) return { redirect: { port } }
      return { dnat: { family: family === 6 ? 'ip6' : 'ip', addr: address, port } }
    }
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
