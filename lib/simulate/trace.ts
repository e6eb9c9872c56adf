// A trace's file or text → its packets. `loadTrace` reads one file, `parseTrace` is pure.
import { extname } from 'node:path'
import { ArgumentError } from '../errors.js'
import { readBounded } from '../files/read.js'
import { readDocument } from '../files/spec-file.js'
import { PacketError, type TracePacket } from './simulation-packet.js'

/** The most bytes that a trace may have. */
const LONGEST = 2 ** 28

/**
 * Reads a trace: JSON or YAML with a list of packets, or text with one packet a line (seconds,
 * source, destination, and optionally the payload in hex digits; `#` starts a comment):
 *
 *     0    10.77.0.2  tcp/7000
 *     0.5  10.77.0.2  udp/6000  payload=00112233445566778899aabbccddeeff
 *
 * @throws PacketError if a line is wrong, or the document is no list.
 * @throws DocumentError if a .json or .yaml file is not of that form.
 * @throws ArgumentError if the file cannot be read.
 */
export async function loadTrace(path: string): Promise<TracePacket[]> {
  if (['.json', '.yaml', '.yml'].includes(extname(path))) {
    const document = await readDocument(path, 'loadTrace')
    if (Array.isArray(document)) return document as TracePacket[]
    throw new PacketError(`loadTrace: ${path}: expected a list of packets`)
  }
  const subject = `loadTrace: ${path}`
  const content = await readBounded(path, { subject, what: 'the trace', most: LONGEST })
  if (!content) throw new ArgumentError(`${subject}: ENOENT: no such file or directory`)
  return parseTrace(content.toString('utf8'))
}

/**
 * Reads the text form of a trace. An empty text has no packets.
 *
 * @throws PacketError with the line's number.
 */
export function parseTrace(text: string): TracePacket[] {
  return text.split('\n').flatMap((line, index) => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/)
    if (words[0] === '') return []
    const [at = '', source = '', to = '', ...rest] = words
    const payload = PAYLOAD.exec(rest[0] ?? 'payload=')?.[1]
    if (rest.length > 1 || payload === undefined || to === '' || !/^\d+(\.\d+)?$/.test(at)) {
      throw new PacketError(
        `loadTrace: line ${index + 1}: expected ${LINE}, got ${JSON.stringify(line.trim())}`,
      )
    }
    return [{ at: Number(at), source, to, ...(rest.length > 0 && { payload }) }]
  })
}

const PAYLOAD = /^payload=((?:[0-9a-f]{2})*)$/i
const LINE = 'seconds, source and destination, such as: 0.5 10.77.0.2 tcp/7000'
