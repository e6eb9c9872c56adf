// The kernel's answers → their content, by an independent second reading for tests of lib/kernel:
// no common code, slow and simple. Pure.

export class Unreadable extends Error {}

interface ReadMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly body: Buffer
}

/** Cuts bytes into pieces. Each has its length in its head, and is padded to four bytes. */
function pieces(
  bytes: Buffer,
  head: number,
  lengthOf: (rest: Buffer) => number,
): { head: Buffer; body: Buffer }[] {
  const found: { head: Buffer; body: Buffer }[] = []
  let rest = bytes
  while (rest.length > 0) {
    if (rest.length < head) throw new Unreadable()
    const length = lengthOf(rest)
    if (length < head || length > rest.length) throw new Unreadable()
    found.push({ head: rest.subarray(0, head), body: rest.subarray(head, length) })
    rest = rest.subarray(Math.min(rest.length, Math.ceil(length / 4) * 4))
  }
  return found
}

export const readMessages = (bytes: Buffer): ReadMessage[] =>
  pieces(bytes, 16, (rest) => rest.readUInt32LE(0)).map(({ head, body }) => ({
    type: head.readUInt16LE(4),
    flags: head.readUInt16LE(6),
    sequence: head.readUInt32LE(8),
    body,
  }))

/** Reads attributes. The lowest 14 bits of the second number are the type. */
export const readAttributes = (bytes: Buffer): { type: number; value: Buffer }[] =>
  pieces(bytes, 4, (rest) => rest.readUInt16LE(0)).map(({ head, body }) => {
    return { type: head.readUInt16LE(2) % 0x4000, value: body }
  })

interface ReadElement {
  readonly key: string
  readonly timeout: number | undefined
  readonly expires: number | undefined
}

/** Reads elements: the bytes of keys in hexadecimal, times in whole seconds. */
export function readElements(body: Buffer, keyBytes: number): ReadElement[] {
  if (body.length < 4) throw new Unreadable()
  const lists = readAttributes(body.subarray(4)).filter(({ type }) => type === 3)
  return lists
    .flatMap(({ value }) => readAttributes(value))
    .filter(({ type }) => type === 1)
    .map(({ value }) => readElement(value, keyBytes))
}

function readElement(value: Buffer, keyBytes: number): ReadElement {
  const attributes = readAttributes(value)
  const of = (type: number) => attributes.filter((a) => a.type === type).map((a) => a.value)
  const keys = of(1).map((key) => {
    const values = readAttributes(key).filter((a) => a.type === 1)
    if (values.some((a) => a.value.length !== keyBytes)) throw new Unreadable()
    return values.at(-1)?.value.toString('hex')
  })
  const [timeout, expires] = [of(4), of(5)].map((times) => times.map(readSeconds).at(-1))
  const key = keys.at(-1)
  if (key === undefined) throw new Unreadable()
  return { key, timeout, expires }
}

function readSeconds(value: Buffer): number {
  if (value.length !== 8) throw new Unreadable()
  const milliseconds = value.readBigUInt64BE()
  if (milliseconds > BigInt(Number.MAX_SAFE_INTEGER)) throw new Unreadable()
  return Number(milliseconds / 1000n)
}

interface ReadError {
  readonly errno: number
  readonly text: string | undefined
}

export function readError({ flags, body }: ReadMessage): ReadError {
  if (body.length < 20) throw new Unreadable()
  const errno = readErrno(body)
  if ((flags & 0x200) === 0) return { errno, text: undefined }
  const isHeaderAlone = (flags & 0x100) !== 0 || errno === 0
  const repeated = isHeaderAlone ? 16 : Math.ceil(body.readUInt32LE(4) / 4) * 4
  if (repeated < 16 || repeated > body.length - 4) throw new Unreadable()
  const texts = readAttributes(body.subarray(4 + repeated)).filter(({ type }) => type === 1)
  return { errno, text: texts.at(-1)?.value.toString('latin1').split('\0')[0] }
}

export function readErrno(body: Buffer): number {
  const value = body.readInt32LE(0)
  if (value > 0) throw new Unreadable()
  return value < 0 ? -value : 0
}
