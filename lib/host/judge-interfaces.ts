// The interfaces that a spec names, and those that exist → warnings of interfaces that are not
// judged as meant. Pure.
import type { Hook } from '../spec/model/model.js'
import { nearest } from '../text/nearest.js'
import type { Host, Interface } from './host.js'
import type { Found, HostWarning } from './host-warning.js'

/** The part of a spec, or of an installed table, that is judged here. */
export interface Named {
  readonly hook: Hook
  readonly interfaces: readonly string[]
}

/** The most names in a message. */
const MOST_LISTED = 6

/**
 * Judges each interface that the spec names. A spec without interfaces judges all of them and gets
 * no warning.
 */
export function judgeInterfaces(
  { hook, interfaces }: Named,
  host: Host,
  base = '/interfaces',
): HostWarning[] {
  const warnings = interfaces.flatMap((name, index): HostWarning[] => {
    const found = judgeOne(name, { hook, interfaces }, host)
    return found ? [{ ...found, path: `${base}/${index}` }] : []
  })
  const isOnlyLoopback = interfaces.length > 0 && interfaces.every((name) => name === 'lo')
  return isOnlyLoopback ? [...warnings, { ...ONLY_LOOPBACK, path: base }] : warnings
}

const ONLY_LOOPBACK: Found = {
  id: 'only-loopback',
  message:
    'lo sees only what this host sends to itself, so no packet from outside ' +
    'is judged; name the interface where packets come in',
}

/** The interfaces of a table, and those of its doors in their order. */
export interface Places {
  readonly table: Named | undefined
  readonly doors: readonly (Named | undefined)[]
}

/** Judges the interfaces of a table and of its doors. What is said already is not said again. */
export function judgePlaces({ table, doors }: Places, host: Host): HostWarning[] {
  const found = new Map<string, HostWarning>()
  const note = (warnings: readonly HostWarning[]) => {
    for (const warning of warnings) {
      if (!found.has(warning.message)) found.set(warning.message, warning)
    }
  }
  if (table) note(judgeInterfaces(table, host))
  for (const [index, door] of doors.entries()) {
    if (door) note(judgeInterfaces(door, host, `/doors/${index}/interfaces`))
  }
  return [...found.values()]
}

function judgeOne(name: string, spec: Named, host: Host): Found | undefined {
  const matched = host.interfaces.filter(matcherOf(name))
  if (matched.length === 0) return judgeMissing(name, host)
  const enslaved = matched.map((found) => judgeEnslaved(found, spec, host))
  const [first] = enslaved
  // A pattern is right if at least one interface that it matches is right.
  if (first && enslaved.every((found) => found !== undefined)) return first
  return matched.length === 1 ? judgeLower(matched[0] as Interface, spec, host) : undefined
}

/** As nft compares: only the main name; a final `*` matches any ending. */
function matcherOf(name: string): (found: Interface) => boolean {
  const start = name.endsWith('*') ? name.slice(0, -1) : undefined
  return (found) => (start === undefined ? found.name === name : found.name.startsWith(start))
}

function judgeMissing(name: string, { interfaces }: Host): Found {
  const same = interfaces.find(({ alternatives }) => alternatives.includes(name))
  if (same) {
    const reason = `${name} is an alternative name of ${same.name}, and nft compares main names`
    return {
      id: 'interface-alternative',
      message: `${reason}: nothing is judged; write ${same.name}`,
    }
  }
  const names = interfaces.map((found) => found.name)
  const meant = name.endsWith('*') ? undefined : nearest(name, names)
  const isPattern = name.endsWith('*')
  const what = isPattern
    ? `no interface of this host begins with ${name.slice(0, -1)}`
    : `this host has no interface ${name}`
  const more = names.length > MOST_LISTED ? `, and ${names.length - MOST_LISTED} more` : ''
  const known = `it has ${names.slice(0, MOST_LISTED).join(', ')}${more}`
  const hint = meant === undefined ? known : `did you mean ${meant}?`
  return {
    id: 'interface-missing',
    message: `${what} now, so nothing is judged there until it appears; ${hint}`,
  }
}

/** The usual words for a member of each kind of master. */
const MEMBERS: Readonly<Record<string, string>> = {
  bridge: 'a port of the bridge',
  bond: 'a port of the bond',
  team: 'a port of the team',
  vrf: 'a member of the VRF',
  openvswitch: 'a port of Open vSwitch',
  hsr: 'a port of the ring',
  batadv: 'a port of the mesh',
}

function judgeEnslaved(
  { name, master }: Interface,
  { hook, interfaces }: Named,
  host: Host,
): Found | undefined {
  if (!master || interfaces.some((other) => matcherOf(other)({ ...NOBODY, name: master.name }))) {
    return undefined
  }
  const { kind = '' } = master
  const what = `${name} is ${MEMBERS[kind] ?? 'enslaved to'} ${master.name}`
  const id = 'interface-enslaved'
  if (kind === 'vrf') {
    // These hooks see the member itself.
    if (hook === 'prerouting' || hook === 'ingress') return undefined
    return {
      id,
      message: `${what}: at ${hook} its packets come in as ${master.name}; write ${master.name}`,
    }
  }
  if (hook === 'ingress') return judgePort(name, master, what, { hook, interfaces }, host)
  if (kind === 'openvswitch') {
    const instead = 'write its internal port that has the address, or use hook "ingress" here'
    return {
      id,
      message:
        `${what}, which takes its packets before ${hook}, so nothing is judged; ` + `${instead}`,
    }
  }
  const { filtersBridges: filters } = host
  const guests =
    kind === 'bridge' && hook !== 'input' && filters && !(filters[4] && filters[6])
      ? `; bridged packets to guests reach ${hook} only with ` +
        'net.bridge.bridge-nf-call-iptables (ip6tables): for guests, use hook "ingress" at ' +
        `${name}`
      : ''
  const instead = `at ${hook} its packets come in as ${master.name}; write ${master.name}${guests}`
  return { id, message: `${what}: ${instead}` }
}

const NOBODY: Interface = { name: '', alternatives: [], isUp: true, addresses: [] }

/** At ingress a port sees only its own packets. Those of a bond may arrive at any of its ports. */
function judgePort(
  name: string,
  master: NonNullable<Interface['master']>,
  what: string,
  { interfaces }: Named,
  host: Host,
): Found | undefined {
  if (master.kind !== 'bond' && master.kind !== 'team') return undefined
  const others = host.interfaces
    .filter((other) => other.master?.name === master.name && other.name !== name)
    .map((other) => other.name)
    .filter((other) => !interfaces.includes(other))
  if (others.length === 0) return undefined
  const reason = `packets from ${others.join(', ')} pass unjudged; write ${master.name}`
  return { id: 'interface-enslaved', message: `${what}: ${reason}` }
}

/**
 * Warns at input of an interface without an address that carries others with one: VLANs, macvlans.
 */
function judgeLower(
  { name, addresses, isUp }: Interface,
  { hook, interfaces }: Named,
  host: Host,
): Found | undefined {
  if (hook !== 'input' || !isUp || addresses.length > 0) return undefined
  const upper = host.interfaces.filter(
    (other) => other.lower === name && other.addresses.length > 0,
  )
  const names = upper.map((other) => other.name)
  const isNamed = upper.some((other) => interfaces.some((word) => matcherOf(word)(other)))
  if (names.length === 0 || isNamed) return undefined
  const list = names.join(', ')
  return {
    id: 'interface-without-address',
    message:
      `${name} has no address, but ${list} on top of it has: its packets ` +
      `come in as ${list}; write ${list}`,
  }
}
