// A trace's file → the packets in it. Reads one file.
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { ArgumentError } from './errors.js'
import { loadDocument } from './load.js'
import { PacketError, type TracePacket } from './simulation.js'

/**
 * Reads a trace: JSON or YAML with a list of packets, or text with a packet a line (seconds, source, where to; `#` comments):
 *
 *     0    10.77.0.2  tcp/7000
 *     0.5  10.77.0.2  udp/8000
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
    if (rest.length > 0 || to === '' || !/^\d+(\.\d+)?$/.test(at)) {
      const expected = 'seconds, source and where to, such as: 0.5 10.77.0.2 tcp/7000'
      throw new PacketError(
        `loadTrace: line ${index + 1}: expected ${expected}, got ${JSON.stringify(line.trim())}`,
      )
    }
    return [{ at: Number(at), source, to }]
  })
}
