// A connection, an input and an output → bytes both ways, until both directions have ended.
import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'
import type { Duplex, Readable, Writable } from 'node:stream'
import type { CommandProcess } from '../../command/context.js'

export interface Ends {
  readonly input: Readable
  readonly output: Writable
  /** Called when all is written to the output. Its other end then reads the end. */
  closeOutput(): void
}

/**
 * Copies the input to the connection and the connection to the output. The end of one direction
 * leaves the other one open. An output that nobody reads any more ends both, which is no failure.
 *
 * @throws what the connection or the output fails with.
 */
export function pipeConnection(connection: Duplex, ends: Ends): Promise<void> {
  const { input, output, closeOutput } = ends
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    let isOutputOver = false
    const fail = (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failure ??= error
      isOutputOver = true
      connection.destroy()
    }
    const finish = () => {
      input.unpipe(connection).destroy()
      if (failure) reject(failure)
      else resolve()
    }
    // What cannot be read any more has ended.
    input.on('error', () => connection.end())
    input.pipe(connection)
    output.on('error', fail)
    connection.pipe(output, { end: false })
    connection.on('error', (error) => {
      failure ??= error
    })
    const end = (whenOver: () => void) => {
      if (isOutputOver) return whenOver()
      isOutputOver = true
      output.end(() => {
        closeOutput()
        whenOver()
      })
    }
    connection.on('end', () => end(() => {}))
    connection.on('close', () => {
      if (output.writableFinished || output.destroyed || output.errored) return finish()
      if (isOutputOver) output.once('finish', finish).once('error', finish)
      else end(finish)
    })
  })
}

/** The process's own ends. */
export const standardEnds = ({ stdin, stdout }: CommandProcess): Ends => ({
  input: stdin,
  output: stdout,
  closeOutput() {
    if (stdout.isTTY) return
    // Node leaves it open to the end of the process: the other end would not learn of it.
    closeSync(stdout.fd)
    // Its number must not become that of another file.
    openSync(devNull, 'w')
  },
})
