// What a client's command is given: a host with steps or a profile, or the name of a profile in the
// user's folder → the host, the profile, and how it is sent. Looks for one file.
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, posix, win32 } from 'node:path'
import { ArgumentError, type KnockProfile, type SendOptions } from '../../../index.js'
import { type Options, textOf } from '../../command/command.js'

export interface Target {
  /** Undefined: the profile names it. */
  readonly host: string | undefined
  readonly profile: KnockProfile | string
}

/** Options of every command that knocks. */
export const CLIENT_OPTIONS = [
  {
    flags: '--profile <file>',
    description: 'a JSON or YAML file that says what to send (schemas/client.schema.json)',
  },
  { flags: '--door <name>', description: 'which door of a profile that has several' },
  {
    flags: '--gap <time>',
    description:
      'from one packet of a sequence to the next, such as 100ms or 1s (default: the ' +
      "profile's, or 100ms)",
  },
  { flags: '-4, --ipv4', description: 'knock over IPv4 alone' },
  { flags: '-6, --ipv6', description: 'knock over IPv6 alone' },
  { flags: '--source <address>', description: 'the address that packets leave from' },
  {
    flags: '--interface <name>',
    description: 'the interface whose address packets leave from',
  },
] as const

/** @throws ArgumentError if it is not clear what to send, or no profile has the name. */
export async function readTarget(
  command: string,
  [target, ...steps]: readonly (string | undefined)[],
  options: Options,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  const path = textOf(options, 'profile')
  if (path !== undefined && steps.length > 0) {
    throw new ArgumentError(`${command}: expected either steps or a profile with them, got both`)
  }
  if (path !== undefined) return { host: target, profile: path }
  if (target === undefined) {
    throw new ArgumentError(`${command}: expected a host or a profile's name, got neither`)
  }
  if (steps.length > 0) return { host: target, profile: { steps: steps as string[] } }
  return { host: undefined, profile: await findProfile(command, target, env) }
}

/** Endings of a profile, in the order in which they are looked for. */
const ENDINGS = ['.yaml', '.yml', '.json']

async function findProfile(command: string, name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = profileFolder(env)
  if (/^[A-Za-z0-9_][A-Za-z0-9._@-]*$/.test(name)) {
    for (const ending of ENDINGS) {
      const path = join(folder, `${name}${ending}`)
      if (await exists(path)) return path
    }
  }
  const steps = command === 'knock' ? 'steps, --profile,' : '--profile'
  throw new ArgumentError(
    `${command}: expected ${steps} or the name of a profile in ${folder}, got ${name}`,
  )
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/**
 * The folder of the user's profiles: `knocklib` in $XDG_CONFIG_HOME, which is ~/.config unless it
 * is set to an absolute path (XDG Base Directory Specification), on Windows in %APPDATA%.
 */
export function profileFolder(
  env: NodeJS.ProcessEnv,
  platform: string = process.platform,
  home: string = homedir(),
): string {
  const isWindows = platform === 'win32'
  const { isAbsolute, join } = isWindows ? win32 : posix
  const chosen = [env['XDG_CONFIG_HOME'], isWindows ? env['APPDATA'] : undefined]
  const base = chosen.find((path) => path !== undefined && isAbsolute(path))
  return join(base ?? join(home, '.config'), 'knocklib')
}

/** How a knock is sent, from the options. */
export function readSendOptions(command: string, options: Options): SendOptions {
  if (options['ipv4'] && options['ipv6']) {
    throw new ArgumentError(`${command}: expected one of --ipv4 and --ipv6, got both`)
  }
  return {
    gap: textOf(options, 'gap'),
    door: textOf(options, 'door'),
    family: options['ipv6'] ? 6 : options['ipv4'] ? 4 : undefined,
    source: textOf(options, 'source'),
    interface: textOf(options, 'interface'),
  }
}
