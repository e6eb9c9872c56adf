// An echo request → the command line of the system's ping. Pure.
import type { Family } from '../../spec/model/packet-model.js'

export interface Echo {
  readonly address: string
  readonly family: Family
  /** Bytes behind the ICMP header. */
  readonly length: number
  /** The source's address. */
  readonly source: string | undefined
}

/**
 * The exit code that says: the request was sent, and nothing came back (ping(8) of iputils 1, of
 * macOS and FreeBSD 2; that of Windows 1).
 */
export const unanswered = (platform: string): number =>
  ['linux', 'android', 'win32'].includes(platform) ? 1 : 2

/** The program and its arguments: one request, names are not looked up, no answer is waited for. */
export function pingCommand(platform: string, echo: Echo): [program: string, ...argv: string[]] {
  const { address, family, source } = echo
  const length = String(echo.length)
  if (platform === 'win32') {
    // learn.microsoft.com, windows-commands/ping: -w in milliseconds.
    const from = source === undefined ? [] : ['-S', source]
    return ['ping', `-${family}`, '-n', '1', '-w', '10', '-l', length, ...from, address]
  }
  if (platform === 'linux' || platform === 'android') {
    // ping(8) of iputils: -W in seconds.
    const from = source === undefined ? [] : ['-I', source]
    return ['ping', `-${family}`, '-c1', '-W0.01', '-n', '-q', '-s', length, ...from, address]
  }
  // ping(8) and ping6(8) of macOS and the BSDs: -W in milliseconds, IPv6 by a program of its own.
  const from = source === undefined ? [] : ['-S', source]
  const waits = family === 4 ? ['-W', '10'] : []
  const program = family === 4 ? 'ping' : 'ping6'
  return [program, '-c', '1', ...waits, '-n', '-q', '-s', length, ...from, address]
}
