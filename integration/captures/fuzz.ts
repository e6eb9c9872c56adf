// Recorded messages → messages that no kernel sends, for which lib/kernel and the second reading
// must agree.
import { isDeepStrictEqual } from 'node:util'
import { NetlinkError } from '../../lib/errors.js'
import { addressBytes } from '../../lib/kernel/netlink/address-bytes.js'
import {
  type Answer,
  parseAnswers,
  parseCut,
  parseElements,
} from '../../lib/kernel/netlink/element-answers.js'
import { readCaptures } from './netlink.js'
import { readElements, readErrno, readError, readMessages, Unreadable } from './reading.js'

/** Makes a generator of numbers below a limit, which depend only on the seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

const seeds = (): Buffer[] => {
  const all = [...readCaptures().values()].flatMap((exchanges) => [...exchanges.values()])
  const datagrams = all.flatMap(({ sent, received }) => [...sent, ...received])
  const distinct = new Map(datagrams.map((bytes) => [Buffer.from(bytes).toString('hex'), bytes]))
  return [...distinct.values()].map((bytes) => Buffer.from(bytes))
}

const STRANGE = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 0x7f, 0x80, 0xff]

type Mutation = (bytes: Buffer, random: (below: number) => number) => Buffer

const MUTATIONS: readonly Mutation[] = [
  // Flips a bit.
  (bytes, random) => {
    const at = random(bytes.length)
    bytes[at] = (bytes[at] as number) ^ (1 << random(8))
    return bytes
  },
  // Sets a byte, often to a value at a border.
  (bytes, random) => {
    bytes[random(bytes.length)] = STRANGE[random(STRANGE.length)] as number
    return bytes
  },
  // Changes a length or a type, which are aligned to four bytes.
  (bytes, random) => {
    const at = 4 * random(Math.floor(bytes.length / 4)) + 2 * random(2)
    if (at + 2 <= bytes.length)
      bytes.writeUInt16LE(random(4) === 0 ? random(65536) : random(64), at)
    return bytes
  },
  // Cuts the end.
  (bytes, random) => bytes.subarray(0, 1 + random(bytes.length)),
  // Repeats a part.
  (bytes, random) => {
    const at = 4 * random(Math.ceil(bytes.length / 4))
    const length = 4 * random(12)
    return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
  },
  // Leaves out a part.
  (bytes, random) => {
    const at = 4 * random(Math.ceil(bytes.length / 4))
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 4 * (1 + random(6)))])
  },
]

export type Random = (below: number) => number

/** Yields messages endlessly. */
export function* createMessages(random: Random): Generator<Buffer, never> {
  const recorded = seeds()
  const pick = () => Buffer.from(recorded[random(recorded.length)] as Buffer)
  for (;;) {
    const kind = random(20)
    if (kind === 0) {
      yield Buffer.from(Array.from({ length: random(96) }, () => random(256)))
      continue
    }
    let bytes: Buffer = kind === 1 ? Buffer.concat([pick(), pick()]) : pick()
    for (let count = 1 + random(3); count > 0 && bytes.length > 0; count -= 1) {
      bytes = (MUTATIONS[random(MUTATIONS.length)] as Mutation)(bytes, random)
    }
    yield bytes
  }
}

const FAMILIES = [4, 6, undefined] as const

/**
 * Reads a message by lib/kernel and by the second reading. Returns whether it could be read.
 *
 * @throws Error if the readings differ, or for any exception other than `malformed`.
 */
export function compare(bytes: Buffer, random: Random): 'read' | 'malformed' {
  const family = FAMILIES[random(FAMILIES.length)]
  const ours = outcome(() => {
    const { answers, isInterrupted } = parseAnswers(bytes)
    return { answers: answers.map((answer) => plain(answer, family)), isInterrupted }
  })
  const theirs = outcome(() => {
    const messages = readMessages(bytes)
    // In lib/kernel's order, which stops at the first mistake.
    for (const message of messages) read(message)
    const isInterrupted = messages.some(({ flags }) => (flags & 0x10) !== 0)
    const keyBytes = family === 6 ? 16 : 4
    return { answers: messages.flatMap((m) => read(m, keyBytes) ?? []), isInterrupted }
  })
  requireSame(bytes, ours, theirs)
  requireSame(
    bytes,
    outcome(() => parseCut(bytes)),
    outcome(() => readCut(bytes)),
  )
  return ours === MALFORMED ? 'malformed' : 'read'
}

const MALFORMED = 'malformed'

function outcome(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    if (error instanceof Unreadable) return MALFORMED
    if (error instanceof NetlinkError && error.code === 'malformed') return MALFORMED
    throw error
  }
}

function plain(answer: Answer, family: 4 | 6 | undefined): unknown {
  if (answer.kind === 'ack') return { text: undefined, ...answer }
  if (answer.kind !== 'elements') return answer
  const elements = parseElements(answer.payload, family).map(({ key: [key = ''], ...times }) => {
    const bytes = family ? addressBytes(key) : numberBytes(Number(key))
    return { key: Buffer.from(bytes).toString('hex'), ...times }
  })
  return { kind: answer.kind, sequence: answer.sequence, elements }
}

function numberBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Reads a message. Without `keyBytes` it does not read the elements. */
function read(message: ReturnType<typeof readMessages>[number], keyBytes?: number): unknown {
  const { type, sequence, body } = message
  switch (type) {
    case 2:
      return { kind: 'ack', sequence, ...readError(message) }
    case 3:
      return { kind: 'done', sequence, errno: body.length < 4 ? 0 : readErrno(body) }
    case 4:
      return { kind: 'overrun' }
    case 0xa0c:
      return {
        kind: 'elements',
        sequence,
        elements: keyBytes === undefined ? [] : readElements(body, keyBytes),
      }
    default:
      return undefined
  }
}

function readCut(bytes: Buffer): unknown {
  if (bytes.length < 36 || bytes.readUInt16LE(4) !== 2) throw new Unreadable()
  return { sequence: bytes.readUInt32LE(8), errno: readErrno(bytes.subarray(16)) }
}

function requireSame(bytes: Buffer, ours: unknown, theirs: unknown): void {
  if (isDeepStrictEqual(ours, theirs)) return
  const both = `${JSON.stringify(ours)}, not ${JSON.stringify(theirs)}`
  throw new Error(`of ${bytes.toString('hex')} was read ${both}`)
}
