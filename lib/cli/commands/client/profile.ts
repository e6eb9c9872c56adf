// knocklib profile: a spec, or a profile's URI → a client's profile, in the form that the client
// takes.
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { resolveHost } from '../../../client/system/resolve.js'
import { readBounded } from '../../../files/read.js'
import { readSecret } from '../../../files/secrets.js'
import { ArgumentError, type KnockProfile, profileFromUri } from '../../../index.js'
import { FORMATS, formatOf, type ProfileFormat } from '../../../profile/formats.js'
import { type ProfileRequest, profileFromSpec, serverSecretOf } from '../../../profile/from-spec.js'
import {
  type CommandDefinition,
  type Options,
  type Outcome,
  textOf,
} from '../../command/command.js'
import type { CommandProcess } from '../../command/context.js'
import { loadSpec } from '../../command/spec-file.js'
import { writeWhole } from '../../command/write-file.js'
import { profileFolder } from './target.js'

/** Beside the bundle that this file is in. */
const PAGE_SCRIPT = new URL('../portable/page.js', import.meta.url)

const NAMES = Object.keys(FORMATS)

export const profile: CommandDefinition = {
  usage: 'profile <spec>',
  summary:
    "make a client's profile from a spec or a URI, or a script, a code or a page that knocks",
  examples: [
    'knocklib profile doors.yaml --door ssh --host server.example > server.yaml',
    'knocklib profile doors.yaml --door ssh --host server.example --user ana --save server',
    'knocklib profile doors.yaml --host server.example --user ana --format qr',
    'knocklib profile doors.yaml --host server.example --format page --output door.html',
    'knocklib profile - --save home   # reads the URI that --format uri wrote',
    '',
    'Formats:',
    ...Object.entries(FORMATS).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`),
    '',
    'No format holds a secret unless it says so: hand the file of the secret over apart.',
    'In place of a spec, a file that ends in .uri, or - for stdin, gives a URI.',
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
    {
      flags: '--address <addresses>',
      description: 'addresses that are knocked at, with commas (page: default: those of the host)',
    },
    { flags: '--page <url>', description: 'uri, qr: link to this page, with the secret behind #' },
    { flags: '--link <url>', description: 'page: where it leads when the door is open' },
    { flags: '--output <file>', description: 'replace this file, mode 0600' },
    { flags: '--save <name>', description: "write into the folder of the user's profiles" },
  ],
  async run([path], options, { process }) {
    const source = await readSource(path as string, options, process)
    const { secret, isUri = false } = source
    const format = chosenFormat(options)
    const document = await withAddresses(source.document, format, options)
    const name = textOf(options, 'save') ?? nameOf(document)
    const output = outputOf(options, process.env)
    const written = await format.write(document, {
      name,
      door: textOf(options, 'door'),
      secret,
      page: textOf(options, 'page'),
      link: textOf(options, 'link'),
      script: format.isPage && (await readFile(PAGE_SCRIPT, 'utf8')),
      ...(process.stdout.isTTY && { columns: process.stdout.columns }),
      isFile: output !== undefined,
    })
    if (output !== undefined) {
      if (textOf(options, 'save') !== undefined) {
        await mkdir(dirname(output), { recursive: true, mode: 0o700 })
      }
      await writeWhole(output, written)
      return { json: { output }, text: `${output} written\n` }
    }
    return { json: document, text: written, ...warningOf(options, isUri) }
  },
  table: false,
}

/** Reads the URI of a profile, from stdin or a file of such a name; undefined: it is a spec. */
async function readUri(path: string, stdin: CommandProcess['stdin']): Promise<string | undefined> {
  if (path === '-') return (await text(stdin)).trim()
  if (!path.endsWith('.uri')) return undefined
  const expected = 'a file that its owner alone can read, since it holds a secret'
  const content = await readBounded(path, {
    subject: `profile: ${path}`,
    what: 'the URI',
    most: 65536,
    private: { forbidden: 0o077, expected },
  })
  if (!content) throw new ArgumentError(`profile: ${path}: no such file`)
  return content.toString().trim()
}

const chosenFormat = (options: Options): ProfileFormat =>
  formatOf(textOf(options, 'format') ?? 'yaml')

interface Source {
  readonly document: KnockProfile
  /** For a format that needs it. */
  readonly secret?: Uint8Array | undefined
  /** Whether it came as a URI, so that the secret is in the document. */
  readonly isUri?: true
}

/** Reads a spec, or the URI of a profile. */
async function readSource(
  path: string,
  options: Options,
  { stdin }: CommandProcess,
): Promise<Source> {
  const uri = await readUri(path, stdin)
  if (uri !== undefined) return { document: await profileFromUri(uri), isUri: true }
  const spec = await loadSpec(path, options)
  const request: ProfileRequest = {
    host: requireHost(options),
    door: textOf(options, 'door'),
    user: textOf(options, 'user'),
    knock: numberOf(options, 'knock'),
    secretFile: textOf(options, 'secretFile'),
  }
  const document = profileFromSpec(spec, request)
  const file = chosenFormat(options).needsSecret && serverSecretOf(spec, request)
  return { document, secret: file === undefined ? undefined : await readSecret(file, 'profile') }
}

/** Adds the addresses that are given, or that the resolver has, if the format needs them. */
async function withAddresses(
  document: KnockProfile,
  { isPage }: ProfileFormat,
  options: Options,
): Promise<KnockProfile> {
  const given = textOf(options, 'address')?.split(',')
  if (given) return { ...document, addresses: given }
  if (!isPage || document.addresses) return document
  const found = await resolveHost(document.host ?? '', [4, 6])
  return { ...document, addresses: found.map(({ address }) => address) }
}

function warningOf(options: Options, isUri: boolean): Partial<Outcome> {
  const { needsSecret, isPage } = chosenFormat(options)
  if (needsSecret === undefined && (!isUri || isPage)) return {}
  const message = 'this shows the secret: whoever reads it can open the door'
  return { warnings: [{ id: 'secret-shown', message }] }
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

function outputOf(options: Options, env: NodeJS.ProcessEnv): string | undefined {
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
  return resolve(join(profileFolder(env), `${name}.${format}`))
}
