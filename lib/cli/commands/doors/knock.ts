// knocklib knock: the packets of a knock, sent to a host.
import { ArgumentError, type SendOptions, type SentKnock, sendKnock } from '../../../index.js'
import { type CommandDefinition, type Options, textOf } from '../../command/command.js'

export const knock: CommandDefinition = {
  usage: 'knock <host> [steps...]',
  summary: 'send a knock; when it is done a connection is in time',
  examples: [
    'knocklib knock server.example tcp/7000 udp/8000 icmp',
    'knocklib knock server.example 7000 8000:udp 9000 --gap 200ms',
    'knocklib knock server.example --profile ~/.knock/server.json   # keeps the steps out of the process list',
    '',
    'What a profile may hold, one of:',
    '  {"steps": ["tcp/7000", "udp/8000"], "gap": "200ms"}',
    '  {"oneTime": [["tcp/7000", "udp/8000"], ["tcp/7100", "tcp/7200"]]}   # the first is taken out, then sent',
    '  {"token": {"door": "ssh", "port": "udp/6000", "secretFile": "/etc/knock/ana.key", "period": "30s"}}',
    '  {"rotate": {"door": "ssh", "secretFile": "/etc/knock/ssh.key", "every": "1h", "steps": 4, "ports": "20000-60000"}}',
    '  {"rate": {"port": "tcp/22", "hits": 2, "min": "3s", "max": "5s"}}',
    '  {"rhythm": {"port": "tcp/443", "counts": [1, 2, 3, 4], "window": "4s"}}',
  ],
  options: [
    {
      flags: '--gap <time>',
      description:
        "pause between two packets of a sequence, such as 100ms or 1s (default: the profile's, or 100ms)",
    },
    {
      flags: '--profile <file>',
      description: 'a JSON or YAML file that says what to send (schemas/client.schema.json)',
    },
    { flags: '-4, --ipv4', description: 'knock over IPv4' },
    { flags: '-6, --ipv6', description: 'knock over IPv6' },
  ],
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
    return { json, text: `${host}: ${describe(sent)}\n` }
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

const count = (number: number, thing: string): string =>
  `${number} ${thing}${number === 1 ? '' : 's'}`

/** What was sent, and what comes next: no secret, and no port that was made of one. */
function describe({ kind, packets, left = 0 }: SentKnock): string {
  const sent = `${count(packets, 'packet')} sent`
  const silence = 'a door gives no answer'
  switch (kind) {
    case 'steps':
      return `${sent}; ${silence}`
    case 'rotate':
      return `${sent}, the sequence of this time; ${silence}`
    case 'token':
      return `a token sent; ${silence}`
    case 'oneTime':
      return `${sent}, a sequence that is used up; ${count(left, 'sequence')} left; ${silence}`
    case 'rate':
    case 'rhythm':
      return `${sent}; connect now`
  }
}
