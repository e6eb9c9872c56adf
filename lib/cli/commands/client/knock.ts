// knocklib knock: the packets of a knock, sent to a host; and whether the door opened.
import { spawn } from 'node:child_process'
import { CLIENT_KINDS, clientKindOf } from '../../../automaton/kinds/client-kinds.js'
import {
  ArgumentError,
  CapabilityError,
  type DoorVerdict,
  openDoor,
  type SendOptions,
  type SentKnock,
  sendKnock,
} from '../../../index.js'
import {
  type CommandDefinition,
  durationOf,
  EXIT,
  type Options,
  type Outcome,
  textOf,
} from '../../command/command.js'
import type { CommandProcess } from '../../command/context.js'
import { ProgressLine } from './progress.js'
import { CLIENT_OPTIONS, readSendOptions, readTarget, type Target } from './target.js'

export const knock: CommandDefinition = {
  usage: 'knock [host] [steps...]',
  summary: 'send a knock; with --wait say whether the door is open',
  examples: [
    'knocklib knock server.example tcp/7000 udp/8000 icmp',
    'knocklib knock server.example 7000 8000:udp 9000 --gap 200ms --wait 22',
    'knocklib knock server.example --profile ~/.knock/server.json   # keeps the ' +
      'steps out of the process list',
    'knocklib knock home --wait --then "ssh server.example"   # the profile home of ' +
      '~/.config/knocklib',
    '',
    'What a profile may hold, one of:',
    ...Object.values(CLIENT_KINDS).map(({ example }) => `  ${example}`),
    '',
    'Exit codes with --wait: 0 open; 5 refused, nothing listens there; 6 filtered, nothing',
    'came back; 7 not tried, since the attempt would have used the grant up.',
  ],
  options: [
    ...CLIENT_OPTIONS,
    {
      flags: '--wait [port]',
      description: "wait until the TCP port of the service answers (default: the profile's)",
    },
    { flags: '--within <duration>', description: 'with --wait: for how long (default: 15s)' },
    {
      flags: '--then <command>',
      description: 'then run a command of the shell; with --wait not if the door is shut',
    },
    { flags: '-q, --quiet', description: 'print nothing but errors' },
  ],
  table: false,
  async run([host, steps = []], options, { process }) {
    const target = await readTarget(
      'knock',
      [host as string | undefined, ...listOf(steps)],
      options,
      process.env,
    )
    const outcome = describe(await send(target, options, process))
    const shown = options['quiet'] === true ? { ...outcome, text: '' } : outcome
    const command = textOf(options, 'then')
    if (command === undefined || SHUT.includes(outcome.exitCode)) return shown
    return follow(shown, command, options, process)
  },
}

const listOf = (words: string | readonly string[]): readonly string[] =>
  typeof words === 'string' ? [words] : words

async function send(
  target: Target,
  options: Options,
  { stderr }: CommandProcess,
): Promise<SentKnock | DoorVerdict> {
  const line = new ProgressLine(stderr)
  const isSilent = options['quiet'] === true || options['json'] === true
  const how: SendOptions = {
    ...readSendOptions('knock', options),
    ...(!isSilent && { onProgress: (progress) => line.show(progress) }),
  }
  const { host, profile } = target
  try {
    if (options['wait'] === undefined) return await sendKnock(host, profile, how)
    const port = textOf(options, 'wait')
    if (port !== undefined && !/^[0-9]{1,5}$/.test(port)) {
      throw new ArgumentError(`knock: --wait: expected a TCP port, got ${port}`)
    }
    const within = durationOf(options, 'within')
    return await openDoor(host, profile, {
      ...how,
      ...(port !== undefined && { port: Number(port) }),
      ...(within !== undefined && { within }),
    })
  } finally {
    line.end()
  }
}

/** What each verdict says, and its exit code. */
const VERDICTS = {
  open: { exitCode: EXIT.done, text: 'open' },
  refused: { exitCode: EXIT.portRefused, text: 'refused: nothing listens there' },
  filtered: { exitCode: EXIT.portFiltered, text: 'filtered: nothing came back' },
  unknown: {
    exitCode: EXIT.portNotTried,
    text: 'not tried: the door opens for a number of connections, and this would be one',
  },
} as const

/** The verdicts of a door that no command needs to try. */
const SHUT: readonly (number | undefined)[] = [EXIT.portRefused, EXIT.portFiltered]

function describe(sent: SentKnock | DoorVerdict): Outcome {
  const { host, packets, addresses, failed = [], left } = sent
  const json = {
    host,
    sent: packets,
    addresses,
    ...(failed.length > 0 && { failed }),
    ...(left !== undefined && { left }),
  }
  const where = addresses.length === 1 && addresses[0] === host ? '' : ` (${addresses.join(', ')})`
  const kind = clientKindOf(sent)
  const isTried = 'verdict' in sent
  const next = isTried ? '' : `; ${kind.next}`
  const lines = [`${host}${where}: ${kind.describe(packets, left ?? 0)}${next}`]
  for (const { message } of failed) lines.push(`not sent: ${message}`)
  if (!isTried) return { json, text: `${lines.join('\n')}\n` }
  const { verdict, port, address, knocks } = sent
  const { exitCode, text } = VERDICTS[verdict]
  lines.push(`port ${port}${address === undefined ? '' : ` of ${address}`}: ${text}`)
  return {
    json: { ...json, verdict, port, ...(address !== undefined && { address }), knocks },
    text: `${lines.join('\n')}\n`,
    exitCode,
  }
}

/** Prints what there is to say, runs a command of the shell, and ends as it does. */
async function follow(
  { json, text }: Outcome,
  command: string,
  options: Options,
  { stdout }: CommandProcess,
): Promise<Outcome> {
  stdout.write(options['json'] ? `${JSON.stringify(json, null, 2)}\n` : text)
  const exitCode = await new Promise<number>((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: 'inherit' })
    child.on('error', ({ message }) => {
      reject(new CapabilityError('knock', `--then: a shell for ${command}`, message))
    })
    // What a shell says of a command that a signal ended.
    child.on('close', (code) => resolve(code ?? 128))
  })
  return { text: '', exitCode }
}
