// The process of the knocklib command, loaded by launch.cts: runs its command line, and sets the
// exit code.
import { systemClock } from '../clock/clock.js'
import { EXIT } from './command/command.js'
import { runCommandLine } from './main.js'

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
