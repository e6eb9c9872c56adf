// knocklib profile: a spec → a client's profile, in the form that the client takes.
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readSecret } from '../../../files/secrets.js'
import { ArgumentError, type KnockProfile } from '../../../index.js'
import { FORMATS, formatOf, type ProfileFormat } from '../../../profile/formats.js'
import { profileFromSpec, serverSecretOf } from '../../../profile/from-spec.js'
import { type CommandDefinition, type Options, textOf } from '../../command/command.js'
import { loadSpec } from '../../command/spec-file.js'
import { writeWhole } from '../../command/write-file.js'
import { profileFolder } from './target.js'

const NAMES = Object.keys(FORMATS)

export const profile: CommandDefinition = {
  usage: 'profile <spec>',
  summary: "make a client's profile from a spec, or a script that knocks",
  examples: [
    'knocklib profile doors.yaml --door ssh --host server.example > server.yaml',
    'knocklib profile doors.yaml --door ssh --host server.example --user ana --save server',
    '',
    'Formats:',
    ...Object.entries(FORMATS).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`),
    '',
    'No format holds a secret unless it says so: hand the file of the secret over apart.',
  ],
  options: [
    { flags: '--host <host>', description: 'name or address of the server, as clients reach it' },
    { flags: '--door <name>', description: 'which door (default: all that the user can open)' },
    { flags: '--user <name>', description: 'whose token (default: the only user)' },
    { flags: '--knock <number>', description: 'which of several knocks of the door, from 1 on' },
    {
      flags: '--secret-file <path>',
      description: "where the client has the secret (default: the file's name, beside the profile)",
    },
    { flags: '--format <format>', description: 'see below', choices: NAMES, default: 'yaml' },
    { flags: '--output <file>', description: 'replace this file, mode 0600' },
    { flags: '--save <name>', description: "write into the folder of the user's profiles" },
  ],
  async run([path], options) {
    const spec = await loadSpec(path as string, options)
    const request = {
      host: requireHost(options),
      door: textOf(options, 'door'),
      user: textOf(options, 'user'),
      knock: numberOf(options, 'knock'),
      secretFile: textOf(options, 'secretFile'),
    }
    const document = profileFromSpec(spec, request)
    const name = textOf(options, 'save') ?? nameOf(document)
    const format: ProfileFormat = formatOf(textOf(options, 'format') ?? 'yaml')
    const file = format.needsSecret && serverSecretOf(spec, request)
    const secret = file === undefined ? undefined : await readSecret(file, 'profile')
    const text = await format.write(document, { name, door: request.door, secret })
    const output = await outputOf(options)
    if (output === undefined) return { json: document, text }
    await writeWhole(output, text)
    return { json: { output }, text: `${output} written\n` }
  },
  table: false,
}

function requireHost(options: Options): string {
  const host = textOf(options, 'host')
  if (host === undefined || !/^[A-Za-z0-9:._%-]{1,255}$/.test(host)) {
    throw new ArgumentError(
      `profile: --host: expected the server's name or address, got ${host ?? 'none'}`,
    )
  }
  return host
}

function numberOf(options: Options, name: string): number | undefined {
  const text = textOf(options, name)
  if (text === undefined || /^[1-9][0-9]{0,3}$/.test(text))
    return (text && Number(text)) || undefined
  throw new ArgumentError(`profile: --${name}: expected a number from 1 on, got ${text}`)
}

/** A name for a profile that got none: the first part of the host's. */
const nameOf = ({ host = 'server' }: KnockProfile): string =>
  /^[a-z][a-z0-9-]*/i.exec(host)?.[0] ?? 'server'

async function outputOf(options: Options): Promise<string | undefined> {
  const [output, name] = [textOf(options, 'output'), textOf(options, 'save')]
  if (name === undefined) return output
  if (output !== undefined) {
    throw new ArgumentError('profile: expected one of --output and --save, got both')
  }
  const format = textOf(options, 'format') ?? 'yaml'
  if (format !== 'yaml' && format !== 'json') {
    throw new ArgumentError(
      `profile: --save: expected --format yaml or json, since knocklib reads it, got ${format}`,
    )
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9._@-]*$/.test(name)) {
    throw new ArgumentError(`profile: --save: expected a profile's name, got ${name}`)
  }
  const file = resolve(join(profileFolder(), `${name}.${format}`))
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  return file
}
