// A process whose arguments are a command line → the command run, and the process's exit code set.
import { systemClock } from '../clock/clock.js'
import { EXIT } from './command/command.js'
import type { CommandProcess } from './command/context.js'
import { runCommandLine } from './main.js'

/**
 * Runs the command line of a process.
 *
 * @throws if a part of the program that is loaded when it is needed cannot be loaded.
 */
export async function runProcess(
  process: CommandProcess & Pick<NodeJS.Process, 'argv' | 'exitCode'>,
): Promise<void> {
  // node would warn that it heeds the other one.
  if (process.env['NO_COLOR']) delete process.env['FORCE_COLOR']
  // A reader that has seen enough (`knocklib render … | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    process.stderr.write(`knocklib: the output cannot be written: ${error.message}\n`)
    process.exitCode = EXIT.refused
  })
  const context = { process, kernel: {}, clock: systemClock }
  process.exitCode = await runCommandLine(process.argv.slice(2), context)
}
