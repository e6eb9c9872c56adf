// knocklib knock: the packets of a knock, sent to a host.
import { CLIENT_KINDS, clientKindOf } from '../../../automaton/kinds/client-kinds.js'
import { ArgumentError, type SendOptions, sendKnock } from '../../../index.js'
import { type CommandDefinition, type Options, textOf } from '../../command/command.js'

export const knock: CommandDefinition = {
  usage: 'knock <host> [steps...]',
  summary: 'send a knock; when it is done a connection is in time',
  examples: [
    'knocklib knock server.example tcp/7000 udp/8000 icmp',
    'knocklib knock server.example 7000 8000:udp 9000 --gap 200ms',
    'knocklib knock server.example --profile ~/.knock/server.json   # keeps the ' +
      'steps out of the process list',
    '',
    'What a profile may hold, one of:',
    ...Object.values(CLIENT_KINDS).map(({ example }) => `  ${example}`),
  ],
  options: [
    {
      flags: '--gap <time>',
      description:
        'pause between two packets of a sequence, such as 100ms or 1s (default: the ' +
        "profile's, or 100ms)",
    },
    {
      flags: '--profile <file>',
      description: 'a JSON or YAML file that says what to send (schemas/client.schema.json)',
    },
    { flags: '-4, --ipv4', description: 'knock over IPv4' },
    { flags: '-6, --ipv6', description: 'knock over IPv6' },
  ],
  table: false,
  async run([host, steps], options) {
    const path = textOf(options, 'profile')
    const isGiven = (steps?.length ?? 0) > 0
    if ((path === undefined) !== isGiven) {
      const got = isGiven ? 'both' : 'neither'
      throw new ArgumentError(`knock: expected either steps or a profile with them, got ${got}`)
    }
    const profile = path ?? { steps: steps as string[] }
    const sent = await sendKnock(host as string, profile, readOptions(options))
    const { packets, left } = sent
    const json = { host, sent: packets, ...(left !== undefined && { left }) }
    return { json, text: `${host}: ${clientKindOf(sent).describe(packets, left ?? 0)}\n` }
  },
}

function readOptions(options: Options): SendOptions {
  if (options['ipv4'] && options['ipv6']) {
    throw new ArgumentError('knock: expected one of --ipv4 and --ipv6, got both')
  }
  const family = options['ipv6'] ? 6 : options['ipv4'] ? 4 : undefined
  const gap = textOf(options, 'gap')
  return { ...(gap !== undefined && { gap }), ...(family !== undefined && { family }) }
}
