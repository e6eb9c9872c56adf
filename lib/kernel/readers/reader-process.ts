// The common part of both reader processes: output, failures, and the end together with the parent
// process.
import { CapabilityError, NetlinkError } from '../../errors.js'
import { ReaderOutput } from './reader-output.js'
import type { FailedRecord } from './records.js'

/** Bytes that are asked for. The system gives at most net.core.rmem_max. */
export const RECEIVE_BUFFER = 2 ** 23

/** Makes sure that `settled` with this number comes after all that the kernel has sent by now. */
export type Settle = (number: number) => void

/** What a reader uses of Node's `process`. */
export type ReaderProcess = Pick<NodeJS.Process, 'exit' | 'on' | 'stdin' | 'stdout'>

/**
 * Runs a reader process. `open` opens its sockets, and returns what to do when it is asked whether
 * it has read everything. Each line of standard input is such a question: a number, from 1 on. The
 * process ends with its standard input, so it never outlives its parent. It ignores signals of the
 * terminal and of the service manager, which the parent handles.
 */
export async function runReader(
  process: ReaderProcess,
  open: (output: ReaderOutput) => Promise<Settle | undefined>,
  most?: number,
): Promise<void> {
  const end = () => process.exit()
  let settle: Settle | undefined
  process.stdin.on('end', end).on('error', end).on('close', end)
  process.stdin.setEncoding('utf8').on('data', (lines: string) => {
    // No line is cut: a pipe passes on a short write as a whole.
    for (const line of lines.split('\n')) if (line !== '') settle?.(Number(line))
  })
  process.stdout.on('error', end)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const output = new ReaderOutput(process.stdout, most)
  try {
    settle = await open(output)
  } catch (error) {
    fail(output, error)
  }
}

/** Reports a failure. The parent then ends this process. */
export function fail(output: ReaderOutput, error: unknown): void {
  const code = error instanceof NetlinkError ? codeOf(error) : 'socket'
  const reason = error instanceof Error ? error.message : String(error)
  const record: FailedRecord = { failed: { code, reason } }
  output.report(record)
}

const codeOf = ({ code, cause }: NetlinkError): string =>
  cause instanceof CapabilityError ? cause.code : code
