// A trace's file → the packets in it. Reads one file.
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { ArgumentError } from './errors.js'
import { loadDocument } from './load.js'
import { PacketError, type TracePacket } from './simulation-packet.js'

/**
 * Reads a trace: JSON or YAML with a list of packets, or text with a packet a line (seconds, source, where to,
 * and perhaps the payload in hex digits; `#` comments):
 *
 *     0    10.77.0.2  tcp/7000
 *     0.5  10.77.0.2  udp/6000  payload=00112233445566778899aabbccddeeff
 *
 * @throws PacketError where a line is none.
 * @throws ArgumentError where the file cannot be read.
 */
export async function loadTrace(path: string): Promise<TracePacket[]> {
  if (['.json', '.yaml', '.yml'].includes(extname(path))) {
    const document = await loadDocument(path, 'loadTrace')
    if (Array.isArray(document)) return document as TracePacket[]
    throw new PacketError(`loadTrace: ${path}: expected a list of packets`)
  }
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ArgumentError(`loadTrace: ${(cause as Error).message}`, { cause })
  })
  return parseTrace(text)
}

/** @throws PacketError with the line's number. */
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
const LINE = 'seconds, source and where to, such as: 0.5 10.77.0.2 tcp/7000'
