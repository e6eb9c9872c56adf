// A packet's frame → the frames of the same packet in other wrappings: fragments of fragments, more
// headers, options, overlaps. Pure.
import { wrappings4 } from './wraps-ipv4.js'

export interface Wrapping {
  readonly name: string
  readonly make: (frame: Buffer) => Buffer[]
}

/** What follows a fixed header, and its header number. */
interface Content {
  readonly next: number
  readonly bytes: Buffer
}

/** IPv6's header numbers (RFC 8200, 4302, 4303, 6275, 7401, 5533). */
const [HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AH, NOTHING, OPTIONS] = [0, 43, 44, 50, 51, 59, 60]
const [MOBILITY, HIP, SHIM6, EXPERIMENT] = [135, 139, 140, 253]
const [MACS, HEADER_6] = [14, 40]
/** A port of no door, and flags that begin no connection. */
const [INNOCENT, ACK] = [80, 0x10]

let identification = 0

const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)])

/**
 * Puts a header before a content: 8 bytes and `units` more of 8, with its own number and padding.
 */
function behind(next: number, content: Content, units = 0): Content {
  const header = Buffer.alloc(8 * (units + 1))
  header.writeUInt8(content.next, 0)
  header.writeUInt8(units, 1)
  header.writeUInt8(1, 2)
  header.writeUInt8(header.length - 4, 3)
  return { next, bytes: Buffer.concat([header, content.bytes]) }
}

function behindRouting(type: number, content: Content): Content {
  const header = Buffer.from([content.next, 0, type, 0, 0, 0, 0, 0])
  return { next: ROUTING, bytes: Buffer.concat([header, content.bytes]) }
}

interface Cut {
  readonly next: number
  /** The offset in units of 8 bytes. */
  readonly at: number
  readonly isLast: boolean
  readonly bytes: Buffer
}

function fragment({ next, at, isLast, bytes }: Cut, id: number): Content {
  const header = Buffer.alloc(8)
  header.writeUInt8(next, 0)
  header.writeUInt16BE((at << 3) | (isLast ? 0 : 1), 2)
  header.writeUInt32BE(id, 4)
  return { next: FRAGMENT, bytes: Buffer.concat([header, bytes]) }
}

const fragments = (...cuts: readonly Cut[]): Content[] => {
  identification += 1
  const id = identification
  return cuts.map((cut) => fragment(cut, id))
}

/** Makes two fragments. The second can have another header number than the first. */
function split({ next, bytes }: Content, size: number, later = next): Content[] {
  return fragments(
    { next, at: 0, isLast: false, bytes: bytes.subarray(0, size) },
    { next: later, at: size / 8, isLast: true, bytes: bytes.subarray(size) },
  )
}

const atomic = ({ next, bytes }: Content): Content =>
  fragments({ next, at: 0, isLast: true, bytes })[0] as Content

type Make = (content: Content) => Content[]

const options = (content: Content, units = 0) => behind(OPTIONS, content, units)

/** Ways to fragment so that the first fragment hides the transport header, or part of it. */
const HIDING: Readonly<Record<string, Make>> = {
  'options | segment': (content) => split(options(content), 8),
  'options | options segment': (content) => split(options(options(content)), 8),
  'options | options segment that says otherwise': (content) =>
    split(options(options(content)), 8, content.next),
  'options | segment that says otherwise': (content) => split(options(content), 8, content.next),
  'long options': (content) => split(options(content, 1), 8),
  'routing | options segment': (content) => split(behindRouting(4, options(content)), 8),
  'after 8 bytes': (content) => split(content, 8),
  'after 16 bytes': (content) => split(content, 16),
}

const AROUND: Readonly<Record<string, (make: Make) => Make>> = {
  alone: (make) => make,
  reversed: (make) => (content) => make(content).reverse(),
  'each in a fragment': (make) => (content) => make(content).map(atomic),
  'each in a fragment, reversed': (make) => (content) => make(content).map(atomic).reverse(),
  'each in two of one piece': (make) => (content) => make(content).map(atomic).map(atomic),
  'between options': (make) => (content) =>
    make(content).map((part) => options(atomic(options(part)))),
  'each in two pieces': (make) => (content) => make(content).flatMap((part) => split(part, 8)),
  'behind options': (make) => (content) => make(content).map((part) => options(part)),
  'behind hop-by-hop options': (make) => (content) =>
    make(content).map((part) => behind(HOP_BY_HOP, part)),
}

/** Returns the same segment with an innocent port and flags. */
function innocent({ next, bytes }: Content): Content {
  const changed = Buffer.from(bytes)
  changed.writeUInt16BE(INNOCENT, 2)
  if (changed.length > 13) changed.writeUInt8(ACK, 13)
  return { next, bytes: changed }
}

const OVERLAPS: Readonly<Record<string, Make>> = {
  'the innocent first': (content) => overlapped(innocent(content), content),
  'the innocent last': (content) => overlapped(content, innocent(content)),
}

function overlapped(first: Content, second: Content): Content[] {
  const { next } = first
  const [one, other] = [padded(first.bytes), padded(second.bytes)]
  return fragments(
    { next, at: 0, isLast: false, bytes: one },
    { next, at: 0, isLast: false, bytes: other },
    { next, at: one.length / 8, isLast: true, bytes: Buffer.alloc(8) },
  )
}

const repeated = (count: number, wrap: (content: Content) => Content) => (content: Content) => [
  Array.from({ length: count }).reduce<Content>((inner) => wrap(inner), content),
]

function authenticated({ next, bytes }: Content): Content {
  const header = Buffer.alloc(24)
  header.writeUInt8(next, 0)
  header.writeUInt8(4, 1)
  return { next: AH, bytes: Buffer.concat([header, bytes]) }
}

const HEADERS: Readonly<Record<string, Make>> = {
  plain: (content) => [content],
  'one fragment': (content) => [atomic(content)],
  'two of one piece': (content) => [atomic(atomic(content))],
  'hop-by-hop': (content) => [behind(HOP_BY_HOP, content)],
  'long options alone': (content) => [options(content, 31)],
  ...Object.fromEntries(
    [1, 7, 8, 9, 20, 60].map((count) => [`${count} options`, repeated(count, options)]),
  ),
  ...Object.fromEntries(
    [0, 2, 3, 4, 253].map((type) => [`routing ${type}`, (c: Content) => [behindRouting(type, c)]]),
  ),
  ...Object.fromEntries(
    [MOBILITY, HIP, SHIM6, EXPERIMENT, EXPERIMENT + 1].map((next) => [
      `header ${next}`,
      (content: Content) => [behind(next, content)],
    ]),
  ),
  AH: (content) => [authenticated(content)],
  ESP: ({ bytes }) => [{ next: ESP, bytes: Buffer.concat([Buffer.alloc(8), bytes]) }],
  nothing: ({ bytes }) => [{ next: NOTHING, bytes }],
}

function ipv6(name: string, make: Make): Wrapping {
  return {
    name,
    make: (frame) => {
      const content = { next: frame.readUInt8(MACS + 6), bytes: frame.subarray(MACS + HEADER_6) }
      return make(content).map(({ next, bytes }) => {
        const head = Buffer.from(frame.subarray(0, MACS + HEADER_6))
        head.writeUInt16BE(bytes.length, MACS + 4)
        head.writeUInt8(next, MACS + 6)
        return Buffer.concat([head, bytes])
      })
    },
  }
}

/** The ways to wrap a TCP or UDP packet of each family. */
export const WRAPPINGS: Readonly<Record<4 | 6, readonly Wrapping[]>> = {
  4: wrappings4(),
  6: [
    ...Object.entries(HEADERS).map(([name, make]) => ipv6(name, make)),
    ...Object.entries(OVERLAPS).map(([name, make]) => ipv6(`overlap: ${name}`, make)),
    ...Object.entries(HIDING).flatMap(([name, make]) =>
      Object.entries(AROUND).map(([place, around]) => ipv6(`${name}: ${place}`, around(make))),
    ),
  ],
}
