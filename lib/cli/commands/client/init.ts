// knocklib init: a first spec, its secrets, and a profile for each user. Asks on a terminal; writes
// new files, and changes no firewall.
import { randomBytes } from 'node:crypto'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseYaml } from '../../../files/yaml.js'
import { ArgumentError, validateSpec } from '../../../index.js'
import { type FirstUser, writeFirstSpec } from '../../../profile/first-spec.js'
import { profileFromSpec } from '../../../profile/from-spec.js'
import { yaml } from '../../../profile/yaml-profile.js'
import { parseAddress } from '../../../spec/model/address.js'
import { type CommandDefinition, type Options, textOf } from '../../command/command.js'
import type { CommandProcess } from '../../command/context.js'
import { choosePort, chooseSteps, portsInUse } from './free-ports.js'

export const init: CommandDefinition = {
  usage: 'init [folder]',
  summary: 'write a first spec, secrets and profiles into a folder; changes no firewall',
  examples: [
    'knocklib init /etc/knock   # asks on a terminal',
    'knocklib init /etc/knock --host server.example --service tcp/22 --users ana,ben',
    'knocklib init /etc/knock --host server.example --users ""   # one sequence, no users',
  ],
  options: [
    { flags: '--host <host>', description: 'name or address of this server, as clients reach it' },
    { flags: '--door <name>', description: "the door's name (default: ssh)" },
    { flags: '--service <port>', description: 'what stands behind it (default: tcp/22)' },
    {
      flags: '--users <names>',
      description:
        'who comes, with commas: each gets a secret for tokens; "": one sequence for all',
    },
  ],
  table: false,
  async run([given], options, { process }) {
    const folder = resolve((given as string | undefined) ?? '.')
    const choices = await readChoices(options, process)
    const files = await planFiles(folder, choices, process.env['SSH_CONNECTION'])
    await writeNew(files)
    const spec = join(folder, 'doors.yaml')
    const client = files.find(({ path }) => path.endsWith(`${choices.door}.yaml`))?.path ?? ''
    const next = [
      `knocklib check ${spec}`,
      `knocklib install ${spec} --confirm 60s`,
      `knocklib knock --profile ${choices.door}.yaml --wait`,
      'knocklib confirm',
    ]
    const [check, install, knock, confirm] = next
    const lines = [
      ...files.map(({ path }) => `${path} written`),
      '',
      'Next, as root on this server:',
      `  ${check}`,
      `  ${install}`,
      `and within 60 s where the files of ${dirname(client)} were copied to:`,
      `  ${knock}`,
      'then on this server again, so that the doors stay:',
      `  ${confirm}`,
      ...(choices.users.length > 0 ? ['Tokens need nft 1.1 or newer.'] : []),
    ]
    return { json: { files: files.map(({ path }) => path), next }, text: `${lines.join('\n')}\n` }
  },
}

interface Choices {
  readonly host: string
  readonly door: string
  readonly service: string
  readonly users: readonly string[]
}

/** Options, and on a terminal a question for each that is not given. */
async function readChoices(options: Options, process: CommandProcess): Promise<Choices> {
  const isTerminal = process.stdin.isTTY && process.stderr.isTTY
  if (!isTerminal && (textOf(options, 'host') === undefined || options['users'] === undefined)) {
    throw new ArgumentError('init: expected --host and --users, or a terminal to ask at, got none')
  }
  const asking = isTerminal ? askAt(process) : undefined
  try {
    const read = async (name: string, question: string, usual: string): Promise<string> => {
      const text = textOf(options, name)
      if (text !== undefined || !asking) return text ?? usual
      return (await asking.ask(`${question} [${usual}]: `)).trim() || usual
    }
    const service = await read('service', 'What stands behind the door?', 'tcp/22')
    const door = await read('door', "The door's name?", service === 'tcp/22' ? 'ssh' : 'door')
    const none = 'nobody: one sequence for all'
    const users = await read('users', 'Who comes? Names with commas', none)
    const host = await read('host', 'This server, as clients reach it?', hostname())
    return { service, door, host, users: users === none ? [] : namesIn(users) }
  } finally {
    asking?.end()
  }
}

interface Asking {
  /**
   * @returns the line that is typed. Lines that came before the question count, as if pasted.
   * @throws ArgumentError if none comes: the input ends, or Ctrl+C is typed.
   */
  ask(question: string): Promise<string>
  end(): void
}

function askAt(process: CommandProcess): Asking {
  const { stdin: input, stderr: output } = process
  const terminal = createInterface({ input, output })
  const lines = terminal[Symbol.asyncIterator]()
  let isInterrupted = false
  let isOver = false
  terminal.on('close', () => {
    isOver = true
  })
  // While it asks, the terminal sends the key, and no signal.
  terminal.on('SIGINT', () => {
    isInterrupted = true
    terminal.close()
  })
  return {
    async ask(question) {
      if (!isOver) {
        terminal.setPrompt(question)
        terminal.prompt()
      }
      const { done, value } = await lines.next()
      if (!done) return value
      output.write('\n')
      if (isInterrupted) process.kill(process.pid, 'SIGINT')
      throw new ArgumentError('init: the questions were not answered; nothing is written')
    },
    end: () => terminal.close(),
  }
}

const namesIn = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

interface NewFile {
  readonly path: string
  readonly text: string
}

/** All files with their texts. Throws before anything is written if the spec would be wrong. */
async function planFiles(
  folder: string,
  { host, door, service, users }: Choices,
  session: string | undefined,
): Promise<NewFile[]> {
  for (const name of users) requireName('--users', name)
  if (!/^[A-Za-z_](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9_])?$/.test(door)) {
    const expected = 'a name of letters, digits, _ and -, not starting with a digit or -'
    throw new ArgumentError(`init: --door: expected ${expected}, got ${door}`)
  }
  if (!/^[a-z0-9/-]+$/.test(service)) {
    throw new ArgumentError(`init: --service: expected such as tcp/22, got ${service}`)
  }
  if (!/^[A-Za-z0-9:._%-]{1,255}$/.test(host)) {
    throw new ArgumentError(`init: --host: expected a name or an address, got ${host}`)
  }
  const used = await portsInUse()
  const steps = users.length > 0 ? [`udp/${choosePort(used)}`] : chooseSteps(used)
  const secretOf = (name: string): FirstUser => ({
    name,
    secretFile: join(folder, name, `${name}.key`),
  })
  const trusted = parseAddress(session?.split(' ')[0])?.address
  const text = writeFirstSpec({ door, service, steps, users: users.map(secretOf), trusted })
  const parsed = await parseYaml(text)
  const spec = validateSpec('value' in parsed ? parsed.value : undefined)
  const profileFor = (user?: string): NewFile => {
    const profile = profileFromSpec(spec, { host, door, ...(user !== undefined && { user }) })
    const path = join(folder, user ?? 'client', `${door}.yaml`)
    return { path, text: yaml.write(profile, { name: door }) as string }
  }
  const keys = users.map((name): NewFile => {
    return { path: secretOf(name).secretFile, text: `${randomBytes(32).toString('hex')}\n` }
  })
  const profiles = users.length > 0 ? users.map(profileFor) : [profileFor()]
  return [{ path: join(folder, 'doors.yaml'), text }, ...keys, ...profiles]
}

function requireName(option: string, name: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,31}$/.test(name)) return
  const expected = 'names of letters, digits and _, not starting with a digit'
  throw new ArgumentError(`init: ${option}: expected ${expected}, got ${name}`)
}

/** Writes files that are not there yet, for their owner alone; all of them, or none. */
async function writeNew(files: readonly NewFile[]): Promise<void> {
  for (const { path } of files) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) throw new ArgumentError(`init: ${path}: it is there already; nothing is written`)
  }
  const written: string[] = []
  try {
    for (const { path, text } of files) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFile(path, text, { flag: 'wx', mode: 0o600 })
      written.push(path)
    }
  } catch (cause) {
    for (const path of written) await rm(path, { force: true })
    const reason = (cause as Error).message
    throw new ArgumentError(`init: the files cannot be written: ${reason}`, { cause })
  }
}
