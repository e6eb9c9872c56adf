// The automaton's matches, actions and verdicts → nft's expressions and statements for one family.
// Pure.
import type { Action, IpProtocol, Match, Verdict } from '../../automaton/language/automaton.js'
import type { Cidr, Family, PortRange } from '../../spec/model/packet-model.js'
import { NUMBER } from '../../spec/model/protocol.js'
import type { NftExpression, NftStatement, NftValue } from '../document.js'
import { commonSet } from '../names.js'
import {
  compare,
  dataOfUdp,
  ip,
  meta,
  nameOfSet,
  PERIOD_KEY,
  PORT_KEY,
  payload,
  renderKey,
  type SetKey,
  UDP_HEADER,
} from './keys.js'
import { MOVE_KEY, renderLookUp, renderRecall, renderRemembering, renderStage } from './marks.js'
import { renderPiece4, renderPiece6 } from './piece.js'

/**
 * Bytes of headers that the length field counts before the payload of a ping: RFC 791 (20), RFC 792
 * and 4443 (8). The one of IPv6 does not count its own header (RFC 8200).
 */
const HEADERS: Readonly<Record<Family, number>> = { 4: 20 + 8, 6: 8 }

/** Writes one value as it is, and several as an anonymous set. */
const oneOf = (values: NftValue[]): NftValue =>
  values.length === 1 ? (values[0] as NftValue) : { set: values }

export const renderRange = ({ from, to }: PortRange): NftValue =>
  from === to ? from : { range: [from, to] }

export function renderCidr({ address, prefixLength, family }: Cidr): NftValue {
  if (prefixLength === (family === 4 ? 32 : 128)) return address
  return { prefix: { addr: address, len: prefixLength } }
}

/** Whether a match that looks up no set is rendered differently for IPv4 and IPv6. */
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

/** The key of a set, by its name; `period` for ports that change with the time. */
export type KeyOf = (set: string) => SetKey | 'period'

/** The name and the key of a set for one family. */
function renderSet(
  { set, constant }: { readonly set: string; readonly constant?: number },
  family: Family,
  keyOf: KeyOf,
): { name: string; key: NftExpression } {
  const own = keyOf(set)
  if (own === 'period') return { name: commonSet(set), key: PERIOD_KEY }
  return { name: nameOfSet(set, own, family), key: renderKey(own, family, constant) }
}

/** Renders a match; undefined if no packet of the family can fit it. */
export function renderMatch(match: Match, family: Family, keyOf: KeyOf): NftStatement | undefined {
  switch (match.kind) {
    case 'in':
    case 'not-in': {
      const { name, key } = renderSet(match, family, keyOf)
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
    case 'bytes': {
      // At most four bytes: nft's JSON has numbers of 32 bits.
      const field = dataOfUdp(match.at, match.bytes.length / 2)
      return compare(match.not ? '!=' : '==', field, Number.parseInt(match.bytes, 16))
    }
    case 'echo-request':
      return compare('==', payload(family === 4 ? 'icmp' : 'icmpv6', 'type'), 'echo-request')
    case 'source':
      return renderAddresses('saddr', match.addresses, family, match.not ?? false)
    case 'destination':
      return renderAddresses('daddr', match.addresses, family, match.not ?? false)
    case 'loopback':
      // By index and not by name, since this is compared for each packet.
      return compare('==', meta('iif'), 'lo')
    case 'own-connection':
      // `wildcard` is 0 for a socket that is bound to the packet's destination: that of a
      // connection, not of its listener.
      return compare('==', { socket: { key: 'wildcard' } }, 0)
    case 'interface': {
      const names = oneOf([...match.names])
      return compare(match.not ? '!=' : '==', meta('iifname'), names)
    }
    case 'marked':
      return compare('!=', meta('mark'), 0)
    case 'within-rate':
      return { limit: { rate: match.rate, burst: match.burst, per: 'second' } }
  }
}

/** nft reads names and numbers; listings have either. */
const numberOf = (protocol: IpProtocol): number =>
  typeof protocol === 'number' ? protocol : NUMBER[protocol]

/**
 * Headers that the kernel takes for the last one although more may follow (RFC 7045): mobility,
 * HIP, shim6, and two for experiments. ESP and AH are not in the list: a host reads what is behind
 * them only if the sender has its key.
 */
const SKIPPED_BY_OTHERS = [135, 139, 140, 253, 254] as const
/** "No next header" (RFC 8200): the only number that honest senders write in these headers. */
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
  // None of this family: no packet of it has such an address.
  return not ? matchFamily(family) : undefined
}

/** Matches all packets of one family. */
export const matchFamily = (family: Family): NftStatement =>
  compare('==', meta('nfproto'), family === 4 ? 'ipv4' : 'ipv6')

/** What a rule must know of a set or map to change it. */
export interface Traits {
  /** The seconds that a rule gives to each element. Absent: the set itself has the timeout. */
  readonly timeout?: number
  /** It is a map that remembers marks. */
  readonly remembers?: true
  /** What a constant map is keyed by. */
  readonly from?: 'port' | 'mark'
}

export type TraitsOf = (name: string) => Traits
export function renderAction(
  action: Action,
  family: Family,
  keyOf: KeyOf,
  traitsOf: TraitsOf = () => ({}),
): NftStatement {
  if (action.op === 'count') return { counter: action.counter }
  if (action.op === 'mark') return { mangle: { key: meta('mark'), value: action.value } }
  if (action.op === 'log') return renderLog(action)
  if (action.op === 'stage') return renderStage(action)
  if (action.op === 'look-up') return renderLookUp(action.map, traitsOf(action.map).from)
  const { name, key } = renderSet(action, family, keyOf)
  if (action.op === 'recall') return renderRecall(key, name)
  const set = `@${name}`
  const { remembers, timeout: usual } = traitsOf(action.set)
  const isMap = remembers && action.op !== 'claim' && action.op !== 'meet'
  if (action.op === 'delete') {
    return isMap
      ? renderRemembering('delete', key, name)
      : { set: { op: 'delete', elem: key, set } }
  }
  const timeout = action.timeout ?? usual
  const elem = timeout === undefined ? key : { elem: { val: key, timeout } }
  if (isMap) return renderRemembering(action.op, elem, name)
  if (action.op !== 'claim' && action.op !== 'meet') return { set: { op: action.op, elem, set } }
  // A `limit` of the element, which only the first packet is within. The kernel locks it, so of two
  // packets at once one is second.
  return { set: { op: action.op === 'meet' ? 'update' : 'add', elem, set, stmt: [ONCE] } }
}

/**
 * The bytes that are copied to the log. Enough for the headers and a token: IPv6 40, UDP 8, token
 * 16.
 */
const SNAPLEN = 128

/**
 * With a threshold of 1 the kernel sends each packet at once. Otherwise it waits for more, up to a
 * second.
 */
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
    case 'move':
      return { vmap: { key: MOVE_KEY, data: `@${verdict.map}` } }
  }
}
