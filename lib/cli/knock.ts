// knocklib knock: the packets of a knock, sent to a host.
import { ArgumentError, loadProfile, sendKnock } from '../index.js'
import { type CommandDefinition, textOf } from './command.js'

export const knock: CommandDefinition = {
  usage: 'knock <host> [steps...]',
  summary: 'send a knock: one packet for each step',
  examples: [
    'knocklib knock server.example tcp/7000 udp/8000 icmp',
    'knocklib knock server.example 7000 8000:udp 9000 --gap 200ms',
    'knocklib knock server.example --profile ~/.knock/server.json   # keeps the steps out of the process list',
  ],
  options: [
    {
      flags: '--gap <time>',
      description:
        "pause between two knocks, such as 100ms or 1s (default: the profile's, or 100ms)",
    },
    {
      flags: '--profile <file>',
      description: 'a JSON or YAML file with steps, and gap where it likes',
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
    const profile = path === undefined ? { steps: steps as string[] } : await loadProfile(path)
    if (options['ipv4'] && options['ipv6']) {
      throw new ArgumentError('knock: expected one of --ipv4 and --ipv6, got both')
    }
    const family = options['ipv6'] ? 6 : options['ipv4'] ? 4 : undefined
    const gap = textOf(options, 'gap') ?? profile.gap
    await sendKnock(host as string, profile, {
      ...(gap !== undefined && { gap }),
      ...(family !== undefined && { family }),
    })
    const sent = profile.steps.length
    const packets = sent === 1 ? 'packet' : 'packets'
    const text = `${host}: ${sent} ${packets} sent; a door gives no answer\n`
    return { json: { host, sent }, text }
  },
}
