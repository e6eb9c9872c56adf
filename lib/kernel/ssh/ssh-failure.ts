// How ssh ended, and what it said → an error with a code and what to do. Pure.
import { NftError, type SshErrorCode } from '../../errors.js'
import type { SshEnding } from './ssh-child.js'

/** How ssh was called, for messages. */
export interface SshPlace {
  readonly operation: string
  readonly destination: string
  readonly program: string
}

/** ssh's own failures: its words, the code, and what to do. The first that fits counts. */
const FAILURES: readonly (readonly [
  words: RegExp,
  code: SshErrorCode,
  advice: (destination: string) => string,
])[] = [
  [
    /Host key verification failed|IDENTIFICATION HAS CHANGED|host key is known/,
    'host-key',
    (destination) =>
      'its key is not known here, or is another one than before: log in once ' +
      `(ssh ${destination}) and compare the key that ssh shows`,
  ],
  [
    /Permission denied|Too many authentication failures|authentication methods available/,
    'login-refused',
    (destination) => `ssh ${destination} must log in: see to the key, the agent or the user`,
  ],
  [
    /Could not resolve hostname/,
    'unreachable',
    () => 'see to the name, or to the Host lines of the ssh configuration',
  ],
  [
    /timed out|refused|No route|unreachable|closed by|reset by|Connection closed/i,
    'unreachable',
    () =>
      'it is down, its ssh is elsewhere, or a door before it is shut: knock first, for ' +
      'example by ProxyCommand knocklib connect',
  ],
]

/** ssh's own exit code, with which no command there ended. */
export const OF_SSH = 255

/** Explains why the shell of the other machine did not start. Nothing has changed there. */
export function describeSshFailure(ending: SshEnding, place: SshPlace): NftError {
  const { code, reason } = explain(ending, place)
  const { exitCode, stderr } = ending
  const message = `${place.operation}: ${place.destination}: ${reason}`
  return new NftError(code, message, { stderr, exitCode })
}

function explain(
  { code, exitCode, stderr }: SshEnding,
  { destination, program }: SshPlace,
): { code: SshErrorCode; reason: string } {
  if (code !== undefined) {
    const advice = 'install the package openssh-client, or name the program in KNOCKLIB_SSH'
    return { code: 'ssh-missing', reason: `ssh cannot be run (${program}: ${code}); ${advice}` }
  }
  const lines = stderr.split('\n').map((line) => line.trim())
  for (const [words, kind, advice] of FAILURES) {
    const line = lines.findLast((text) => words.test(text))
    if (line !== undefined) {
      return { code: kind, reason: `ssh says "${line}": ${advice(destination)}` }
    }
  }
  const said = lines.findLast((line) => line !== '') ?? 'nothing'
  if (exitCode === OF_SSH) return { code: 'unreachable', reason: `ssh says "${said}"` }
  const reason =
    `the login shell there did not run the command (exit code ${exitCode ?? 'unknown'}, ` +
    `it says "${said}"): the user needs an ordinary shell, and no command forced on the key`
  return { code: 'login-refused', reason }
}
