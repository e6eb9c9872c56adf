// The `open` part of a door, as the user wrote it → its valid form, defaults filled in. Pure.

import { kindOf } from '../../automaton/kinds/kinds.js'
import type { DoorSpec, OpenSpec } from '../generated/knock-types.js'
import { cidrContains, parseAddress, parseCidr } from '../model/address.js'
import { MAX_DURATION } from '../model/duration.js'
import type { Findings } from '../model/findings.js'
import type { ValidKnock, ValidOpen } from '../model/model.js'
import type { Cidr, RedirectTarget } from '../model/packet-model.js'
import { readDuration, readValue } from '../model/read-values.js'
import { readPrefix } from './read-prefix.js'

/** Reads the `open` part of a door. Parts that the schema refused are treated as absent. */
export function readOpen(
  door: DoorSpec,
  origin: string,
  knocks: readonly ValidKnock[],
  findings: Findings,
): ValidOpen {
  const isKnown = findings.isClean(origin)
  const open: Partial<OpenSpec> = isKnown ? door.open : {}
  const connections = readConnections(open, origin, knocks, findings)
  const redirectTo = readTarget(open.redirectTo, `${origin}/redirectTo`, findings)
  const mark = readValue(open.mark, `${origin}/mark`, 0, findings)
  const prefix = readPrefix(open.prefix, `${origin}/prefix`, findings)
  return {
    for: isKnown ? readDuration(open.for, `${origin}/for`, findings) : MAX_DURATION,
    ...(connections !== undefined && { connections }),
    refresh: readRefresh(open, origin, findings),
    scope: readValue(open.scope, `${origin}/scope`, 'source', findings),
    established: readValue(open.established, `${origin}/established`, 'keep', findings),
    ...(redirectTo && { redirectTo }),
    ...(mark !== 0 && { mark }),
    ...(prefix && { prefix }),
  }
}

function readRefresh(
  { refresh }: Partial<OpenSpec>,
  origin: string,
  findings: Findings,
): ValidOpen['refresh'] {
  const given = readValue(refresh, `${origin}/refresh`, false, findings)
  return given === true ? 'connections' : given
}

function readConnections(
  { connections }: Partial<OpenSpec>,
  origin: string,
  knocks: readonly ValidKnock[],
  findings: Findings,
): number | undefined {
  if (connections === 'any' || !findings.isClean(`${origin}/connections`)) return undefined
  return connections ?? knocks.map((knock) => kindOf(knock).connections).find(isGiven)
}

const isGiven = (connections: number | undefined): boolean => connections !== undefined

function readTarget(
  target: number | string | undefined,
  path: string,
  findings: Findings,
): RedirectTarget | undefined {
  if (target === undefined || !findings.isClean(path)) return undefined
  if (typeof target === 'number') return { port: target }
  const [, inBrackets, plain, port] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(target) ?? []
  const address = parseAddress(inBrackets ?? plain)
  if (!address || Number(port) > 65535) {
    findings.add(path, 'an IPv4 address or an IPv6 address in [ ], and a port from 1 to 65535')
    return undefined
  }
  if (isNowhere(address.address)) {
    findings.add(path, 'the address of another host; for this host write only the port')
    return undefined
  }
  return { port: Number(port), ...address }
}

/**
 * Loopback, unspecified, multicast and broadcast addresses (RFC 6890, RFC 5771, RFC 4291). A
 * connection cannot be redirected to them.
 */
const NOWHERE = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/4',
  '255.255.255.255',
  '::',
  '::1',
  'ff00::/8',
]

// Parsed on use: the first parsing of an address takes a fifth of the time that importing knocklib
// may take.
const isNowhere = (address: string): boolean =>
  NOWHERE.some((block) => cidrContains(parseCidr(block) as Cidr, address))
