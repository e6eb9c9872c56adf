// A text that names a machine for ssh → ssh's arguments for it, or an error. Pure.
import { ArgumentError } from '../../errors.js'

// No character that ssh, a shell or a ProxyCommand of the user's could take for something else.
const USER = '(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*@)?'
const NAME = '[A-Za-z0-9_][A-Za-z0-9_.-]*'
const IPV6 = '[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?'
const PLAIN = new RegExp(`^${USER}(?:${NAME}|${IPV6})$`)
const URI = new RegExp(`^ssh://(${USER})(?:(${NAME})|\\[(${IPV6})\\])(?::([0-9]{1,5}))?/?$`)

/** A URI may have a password, which ssh does not take and a message must not show. */
const HAS_PASSWORD = /^ssh:\/\/[^/]*:[^/]*@/

/**
 * Reads a destination: a name of the user's ssh configuration, `root@server`, `root@fd00::1`, or
 * `ssh://root@server:2222`. Refuses what begins with `-`.
 *
 * @returns the last of ssh's options, and the destination.
 * @throws ArgumentError
 */
export function readDestination(destination: string, operation: string): readonly string[] {
  if (PLAIN.test(destination)) return ['--', destination]
  const [isUri, user = '', name, address, port] = URI.exec(destination) ?? []
  if (isUri) {
    const place = ['--', `${user}${name ?? address}`]
    return port === undefined ? place : ['-p', port, ...place]
  }
  const got = HAS_PASSWORD.test(destination) ? 'one with a password' : JSON.stringify(destination)
  const expected = 'a machine such as root@server or ssh://root@server:2222'
  throw new ArgumentError(`${operation}: ssh: expected ${expected}, got ${got}`)
}
