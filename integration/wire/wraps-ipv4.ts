// An IPv4 packet's frame → the frames of the same packet in other wrappings: fragments, options,
// other protocols. Pure.
import { checksum } from './frames.js'
import type { Wrapping } from './wraps.js'

const [MACS, HEADER_4] = [14, 20]
/** The protocol numbers of IPv4 and IPv6 in IP, and of AH (RFC 2003, 4213, 4302). */
const [IPV4_IN, IPV6_IN, AH] = [4, 41, 51]

let identification = 0

interface Piece4 {
  readonly at: number
  readonly isLast: boolean
  readonly bytes: Buffer
}

interface Around4 {
  readonly options?: Buffer
  readonly protocol?: number
  readonly junk?: number
}

function ipv4Frames(frame: Buffer, pieces: readonly Piece4[], around: Around4 = {}): Buffer[] {
  identification += 1
  const { options = Buffer.of(), protocol = frame.readUInt8(MACS + 9), junk = 0 } = around
  return pieces.map(({ at, isLast, bytes }) => {
    const header = Buffer.concat([frame.subarray(MACS, MACS + HEADER_4), options])
    header.writeUInt8(0x40 | (header.length / 4), 0)
    header.writeUInt16BE(header.length + bytes.length, 2)
    header.writeUInt16BE(identification & 0xffff, 4)
    header.writeUInt16BE((isLast ? 0 : 0x2000) | at, 6)
    header.writeUInt8(protocol, 9)
    header.writeUInt16BE(0, 10)
    header.writeUInt16BE(checksum(header), 10)
    return Buffer.concat([frame.subarray(0, MACS), header, bytes, Buffer.alloc(junk)])
  })
}

const segment4 = (frame: Buffer): Buffer => frame.subarray(MACS + HEADER_4)

function cut4(frame: Buffer, sizes: readonly number[], around: Around4): Buffer[] {
  const bytes = segment4(frame)
  const starts = [0, ...sizes.filter((size) => size < bytes.length)]
  const pieces = starts.map((start, index): Piece4 => {
    const end = starts[index + 1]
    return { at: start / 8, isLast: end === undefined, bytes: bytes.subarray(start, end) }
  })
  return ipv4Frames(frame, pieces, around)
}

/** The options of IPv4 by their names (RFC 791, 2113). */
const IP_OPTIONS: Readonly<Record<string, readonly number[]>> = {
  none: [],
  'no operation': [1, 1, 1, 0],
  'all forty bytes': new Array<number>(40).fill(1),
  'end of list': [0, 0, 0, 0],
  'record route': [7, 7, 4, 0, 0, 0, 0, 0],
  'router alert': [148, 4, 0, 0],
  'loose source route': [131, 7, 8, 0, 0, 0, 0, 0],
  'like a TCP header': [30, 8, 156, 64, 0, 80, 0, 0],
}

const CUTS: readonly (readonly number[])[] = [[8], [16], [24], [8, 16]]

export function wrappings4(): Wrapping[] {
  const withOptions = Object.entries(IP_OPTIONS)
  const whole = withOptions.map(([name, bytes]): Wrapping => {
    const options = Buffer.from(bytes)
    return { name: `options: ${name}`, make: (frame) => cut4(frame, [], { options }) }
  })
  const cut = CUTS.flatMap((sizes) =>
    withOptions.slice(0, 3).flatMap(([name, bytes]): Wrapping[] => {
      const options = Buffer.from(bytes)
      const title = `after ${sizes.join(' and ')} bytes, options: ${name}`
      return [
        { name: title, make: (frame) => cut4(frame, sizes, { options }) },
        { name: `${title}, reversed`, make: (frame) => cut4(frame, sizes, { options }).reverse() },
        { name: `${title}, padded`, make: (frame) => cut4(frame, sizes, { options, junk: 60 }) },
      ]
    }),
  )
  const inside = (name: string, protocol: number, wrap: (frame: Buffer) => Buffer): Wrapping => ({
    name,
    make: (frame) => ipv4Frames(frame, [{ at: 0, isLast: true, bytes: wrap(frame) }], { protocol }),
  })
  return [
    ...whole,
    ...cut,
    { name: 'junk behind it', make: (frame) => cut4(frame, [], { junk: 40 }) },
    inside('AH over IPv4', AH, (frame) => {
      const header = Buffer.alloc(24)
      header.writeUInt8(frame.readUInt8(MACS + 9), 0)
      header.writeUInt8(4, 1)
      return Buffer.concat([header, segment4(frame)])
    }),
    inside('IPv4 in IPv4', IPV4_IN, (frame) => frame.subarray(MACS)),
    inside('IPv4 that says IPv6', IPV6_IN, (frame) => frame.subarray(MACS)),
  ]
}
