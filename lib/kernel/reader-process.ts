// What both reading processes have in common: their output, their failures, and that they end with who started them. Touches the process.
import { NetlinkError } from '../errors.js'
import { ReaderOutput } from './reader-output.js'
import type { FailedRecord } from './records.js'

/** Asked of the system; it gives at most net.core.rmem_max. */
export const RECEIVE_BUFFER = 2 ** 23

/**
 * Begins a reading process: `open` opens its sockets. It ends with its standard input, so it never outlives who
 * started it. Signals of the terminal or of the service manager are for that one.
 */
export async function runReader(
  open: (output: ReaderOutput) => Promise<void>,
  most?: number,
): Promise<void> {
  const end = () => process.exit()
  process.stdin.on('end', end).on('error', end).on('close', end).resume()
  process.stdout.on('error', end)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const output = new ReaderOutput(process.stdout, most)
  try {
    await open(output)
  } catch (error) {
    fail(output, error)
  }
}

/** Tells why and ends, when it has been read. */
export function fail(output: ReaderOutput, error: unknown): void {
  const code = error instanceof NetlinkError ? error.code : 'socket'
  const reason = error instanceof Error ? error.message : String(error)
  const record: FailedRecord = { failed: { code, reason } }
  output.tell(record)
}
