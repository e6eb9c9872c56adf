// Questions to rtnetlink ↔ bytes; answers → interfaces, addresses and routes. Pure (rtnetlink(7),
// linux/if_link.h, linux/rtnetlink.h).
import { ADDRESS_BYTES, addressBytes, addressText } from '../kernel/netlink/address-bytes.js'
import { FLAG } from '../kernel/netlink/numbers.js'
import {
  IS_LITTLE,
  MessageWriter,
  type NetlinkMessage,
  parseAttributes,
} from '../kernel/netlink/wire.js'
import type { Interface, Route } from './host.js'

/** RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE. Each answer is RTM_NEW…, which is two less. */
const GET_LINK = 18
const GET_ADDRESS = 22
const GET_ROUTE = 26
const DUMP = FLAG.request | FLAG.dump

/** struct ifinfomsg: offsets of the index and the flags; IFF_UP. Then IFLA_ attributes. */
const LINK = { header: 16, index: 4, flags: 8 } as const
const UP = 1
const IFNAME = 3
const LOWER = 5
const MASTER = 10
const LINK_INFO = 18
const LOWER_NAMESPACE = 37
const PROPERTIES = 52
const ALTERNATIVE = 53
/** IFLA_INFO_KIND, inside LINK_INFO. */
const KIND = 1

/** struct ifaddrmsg: offsets of family, scope and index; AF_INET, AF_INET6. */
const ADDRESS = { header: 8, family: 0, scope: 3, index: 4 } as const
const AF = { 4: 2, 6: 10 } as const
/** RT_SCOPE_LINK, IFA_ADDRESS and IFA_LOCAL. On a point-to-point link IFA_ADDRESS is the peer's. */
const SCOPE_LINK = 253
const IFA_ADDRESS = 1
const IFA_LOCAL = 2

/**
 * struct rtmsg: the offset of the route's type; RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST,
 * RTN_MULTICAST.
 */
const ROUTE = { header: 12, type: 7 } as const
const ROUTE_TYPE = { unicast: 1, local: 2, broadcast: 3, anycast: 4, multicast: 5 } as const
const RTA_DST = 1
const RTA_OIF = 4

export const askLinks = (sequence: number): Uint8Array =>
  render(GET_LINK, DUMP, sequence, new Uint8Array(LINK.header))

export const askAddresses = (sequence: number): Uint8Array =>
  render(GET_ADDRESS, DUMP, sequence, new Uint8Array(ADDRESS.header))

export function askRoute(address: string, sequence: number): Uint8Array {
  const bytes = addressBytes(address)
  const family = address.includes(':') ? 6 : 4
  const header = new Uint8Array(ROUTE.header)
  header[0] = AF[family]
  header[1] = 8 * bytes.length
  return render(GET_ROUTE, FLAG.request, sequence, header, bytes)
}

function render(
  type: number,
  flags: number,
  sequence: number,
  header: Uint8Array,
  destination?: Uint8Array,
): Uint8Array {
  const writer = new MessageWriter()
  writer.begin(type, flags, sequence)
  writer.bytes(header)
  if (destination) writer.attribute(RTA_DST, destination)
  writer.end()
  return writer.take()
}

/** Reads the answers to `askLinks` and `askAddresses`. */
export function parseInterfaces(
  linkMessages: readonly NetlinkMessage[],
  addressMessages: readonly NetlinkMessage[],
): Interface[] {
  const links = linkMessages.filter(({ type }) => type === GET_LINK - 2).map(parseLink)
  const names = new Map(links.map((link) => [link.index, link]))
  const addresses = new Map<number, string[]>()
  for (const message of addressMessages) {
    const found = message.type === GET_ADDRESS - 2 ? parseAddress(message) : undefined
    if (!found) continue
    addresses.set(found.index, [...(addresses.get(found.index) ?? []), found.address])
  }
  return links.map(({ index, name, alternatives, kind, master, lower, isUp }) => {
    const over = names.get(master)
    const under = names.get(lower)
    return {
      ...{ name, alternatives, isUp },
      addresses: addresses.get(index) ?? [],
      ...(kind !== undefined && { kind }),
      ...(over && {
        master: { name: over.name, ...(over.kind !== undefined && { kind: over.kind }) },
      }),
      // IFLA_LINK of a veth is its other end.
      ...(under && kind !== 'veth' && under.index !== index && { lower: under.name }),
    }
  })
}

function parseLink({ payload }: NetlinkMessage) {
  const attributes = new Map(
    parseAttributes(payload.subarray(LINK.header)).map(({ type, value }) => [type, value]),
  )
  const nested = (type: number) => parseAttributes(attributes.get(type) ?? new Uint8Array())
  const kind = nested(LINK_INFO).find(({ type }) => type === KIND)
  return {
    index: readIndex(payload, LINK.index),
    name: textOf(attributes.get(IFNAME)),
    alternatives: nested(PROPERTIES)
      .filter(({ type }) => type === ALTERNATIVE)
      .map(({ value }) => textOf(value)),
    kind: kind && textOf(kind.value),
    master: readIndex(attributes.get(MASTER)),
    // With IFLA_LINK_NETNSID the index belongs to another namespace.
    lower: attributes.has(LOWER_NAMESPACE) ? 0 : readIndex(attributes.get(LOWER)),
    isUp: (readIndex(payload, LINK.flags) & UP) !== 0,
  }
}

function parseAddress({ payload }: NetlinkMessage) {
  const family = payload[ADDRESS.family] === AF[4] ? 4 : payload[ADDRESS.family] === AF[6] ? 6 : 0
  if (family === 0 || payload[ADDRESS.scope] === SCOPE_LINK) return undefined
  const attributes = parseAttributes(payload.subarray(ADDRESS.header))
  const own = (wanted: number) => attributes.find(({ type }) => type === wanted)?.value
  const bytes = own(IFA_LOCAL) ?? own(IFA_ADDRESS)
  if (bytes?.length !== ADDRESS_BYTES[family]) return undefined
  return { index: readIndex(payload, ADDRESS.index), address: addressText(family, bytes) }
}

/** Reads the answer to `askRoute`. An error such as ENETUNREACH means `nowhere`. */
export function parseRoute(
  message: NetlinkMessage,
  nameOf: (index: number) => string | undefined,
): Route {
  if (message.type !== GET_ROUTE - 2) return { to: 'nowhere' }
  const type = message.payload[ROUTE.type]
  if (type === ROUTE_TYPE.local || type === ROUTE_TYPE.anycast) return { to: 'local' }
  if (type === ROUTE_TYPE.broadcast || type === ROUTE_TYPE.multicast) return { to: 'group' }
  const out = parseAttributes(message.payload.subarray(ROUTE.header)).find(
    (attribute) => attribute.type === RTA_OIF,
  )
  const name = type === ROUTE_TYPE.unicast ? nameOf(readIndex(out?.value)) : undefined
  return name === undefined ? { to: 'nowhere' } : { to: 'interface', name }
}

/** The interface's index in an answer to `askLinks`. */
export const indexOf = ({ payload }: NetlinkMessage): number => readIndex(payload, LINK.index)

/** Reads 4 bytes in the machine's byte order; 0 if the bytes are too short. */
function readIndex(bytes: Uint8Array = new Uint8Array(), at = 0): number {
  if (bytes.length < at + 4) return 0
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, IS_LITTLE)
}

const textOf = (bytes: Uint8Array = new Uint8Array()): string =>
  Buffer.from(bytes).toString('utf8').replace(/\0+$/, '')
