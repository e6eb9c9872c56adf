// A packet's frame → frames of its fragments: honest ones, and ones that hide what the packet is.
// Pure.
import { checksum } from './frames.js'

interface Piece {
  /** Where the fragment's bytes begin in the packet, counted after the IP header. */
  readonly at: number
  readonly bytes: Buffer
  readonly isLast?: true
  /**
   * The bytes after the packet in the frame. Default: zeros up to Ethernet's minimum length.
   */
  readonly padding?: Buffer
}

interface Trick {
  readonly name: string
  readonly make: (frame: Buffer) => Buffer[]
}

const [MACS, TYPE] = [12, 14]
const LEAST = 60
const [TCP, UDP] = [6, 17]
/** IPv6's header numbers of fragments and of destination options (RFC 8200). */
const [FRAGMENT, OPTIONS] = [44, 60]
const ACK = 0x10

let packets = 0

/** Cuts a packet into two fragments, `cut` bytes after its IP header. */
export const inPieces = (frame: Buffer, cut: number): Buffer[] => {
  const segment = segmentOf(frame)
  return together(frame, [
    { at: 0, bytes: segment.subarray(0, cut) },
    { at: cut, bytes: segment.subarray(cut), isLast: true },
  ])
}

/** Ways to fragment a SYN. Each reaches a service if the rules let fragments pass unjudged. */
export const TRICKS: Readonly<Record<4 | 6, readonly Trick[]>> = {
  4: [
    { name: 'flags in the second piece', make: (frame) => inPieces(frame, 8) },
    { name: 'which comes first', make: (frame) => inPieces(frame, 8).reverse() },
    { name: 'other flags where the host cuts them off', make: cutOff },
    {
      name: 'in three pieces',
      make: (frame) => {
        const segment = segmentOf(frame)
        return together(frame, [
          { at: 0, bytes: segment.subarray(0, 8) },
          { at: 8, bytes: segment.subarray(8, 16) },
          { at: 16, bytes: segment.subarray(16), isLast: true },
        ])
      },
    },
  ],
  6: [
    { name: 'behind options', make: (frame) => behindOptions(frame) },
    { name: 'and padded as if it were another', make: (frame) => behindOptions(frame, OTHER) },
  ],
}

/** Makes a first fragment of which the host cuts the last bytes: it takes whole units of 8. */
function cutOff(frame: Buffer): Buffer[] {
  const segment = segmentOf(frame)
  const lie = Buffer.from(segment.subarray(0, 15))
  lie.writeUInt8(ACK, 13)
  return together(frame, [
    { at: 0, bytes: lie },
    { at: 8, bytes: segment.subarray(8), isLast: true },
  ])
}

/** Destination options that a host skips, 16 bytes; and the shortest, which are padding. */
const SKIPPED = [OPTIONS, 1, 0x1e, 12, ...new Array<number>(12).fill(0)]
const PAD = [TCP, 0, 1, 4, 0, 0, 0, 0]
/** The end of such options, and UDP to a port without a service. */
const OTHER = Buffer.from([UDP, 0, 1, 4, 0, 0, 0, 0, 0, 9, 0, 9, 0, 8, 0, 0])

/** Cuts a packet so that only the second fragment says that TCP follows. */
function behindOptions(frame: Buffer, padding?: Buffer): Buffer[] {
  const first = { at: 0, bytes: Buffer.from(SKIPPED), ...(padding && { padding }) }
  const rest = Buffer.concat([Buffer.from(PAD), segmentOf(frame)])
  const last = { at: SKIPPED.length, bytes: rest, isLast: true } as const
  // The host believes the first fragment's header number.
  return together(frame, [first, last], padding ? [OPTIONS, UDP] : [OPTIONS, OPTIONS])
}

const isIpv6 = (frame: Buffer): boolean => frame.readUInt16BE(MACS) === 0x86dd

const segmentOf = (frame: Buffer): Buffer => frame.subarray(TYPE + (isIpv6(frame) ? 40 : 20))

/**
 * Makes frames of fragments with one identification, which no other packet has. `next` has the
 * header number for each fragment of IPv6.
 */
function together(frame: Buffer, pieces: readonly Piece[], next: readonly number[] = []) {
  packets += 1
  const id = packets
  return pieces.map((piece, index) => {
    const packet = isIpv6(frame)
      ? ipv6Piece(frame, piece, id, next[index] ?? TCP)
      : ipv4Piece(frame, piece, id)
    const bytes = Buffer.concat([frame.subarray(0, TYPE), packet, piece.padding ?? Buffer.of()])
    return Buffer.concat([bytes, Buffer.alloc(Math.max(0, LEAST - bytes.length))])
  })
}

function ipv4Piece(frame: Buffer, { at, bytes, isLast }: Piece, id: number): Buffer {
  const header = Buffer.from(frame.subarray(TYPE, TYPE + 20))
  header.writeUInt16BE(20 + bytes.length, 2)
  header.writeUInt16BE(id, 4)
  header.writeUInt16BE((isLast ? 0 : 0x2000) | (at / 8), 6)
  header.writeUInt16BE(0, 10)
  header.writeUInt16BE(checksum(header), 10)
  return Buffer.concat([header, bytes])
}

function ipv6Piece(frame: Buffer, { at, bytes, isLast }: Piece, id: number, next: number): Buffer {
  const header = Buffer.from(frame.subarray(TYPE, TYPE + 40))
  header.writeUInt16BE(8 + bytes.length, 4)
  header.writeUInt8(FRAGMENT, 6)
  const fragment = Buffer.alloc(8)
  fragment.writeUInt8(next, 0)
  fragment.writeUInt16BE(at | (isLast ? 0 : 1), 2)
  fragment.writeUInt32BE(id, 4)
  return Buffer.concat([header, fragment, bytes])
}
