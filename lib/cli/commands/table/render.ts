// knocklib render: the ruleset of a spec, as nft's JSON or as text.
import { ArgumentError, renderKnock, renderKnockText } from '../../../index.js'
import { type CommandDefinition, textOf } from '../../command/command.js'
import { loadSpec } from '../../command/spec-file.js'
import { writeWhole } from '../../command/write-file.js'

export const render: CommandDefinition = {
  usage: 'render <spec>',
  summary: 'print the ruleset; needs no root',
  examples: [
    'knocklib render doors.json',
    'knocklib render doors.json --format nft --output /etc/knock.nft',
    'knocklib render doors.json --format nft --keep --output /etc/knock.nft',
    '',
    'The text is a whole table: include it beside other tables, never within one.',
    'Debian, Ubuntu, Arch:  /etc/nftables.conf:            include "/etc/knock.nft"',
    'Fedora, RHEL:          /etc/sysconfig/nftables.conf:  include "/etc/knock.nft"',
    'Alpine:                write it to /etc/nftables.d/knock.nft',
    'OpenWrt:               write it to /usr/share/nftables.d/ruleset-post/knock.nft;',
    '                       NOT to /etc/nftables.d, which is included within table inet fw4',
  ],
  options: [
    {
      flags: '--format <format>',
      description: 'nft JSON, or text for nft -f',
      choices: ['json', 'nft'],
      default: 'json',
    },
    {
      flags: '--keep',
      description:
        'text that keeps grants, bans, counters and what has been used where the table stands',
    },
    {
      flags: '--output <file>',
      description: 'replace this file, all of it or not at all, mode 0600',
    },
  ],
  async run([path], options) {
    const keep = options['keep'] === true
    const isText = options['format'] === 'nft'
    if (keep && !isText)
      throw new ArgumentError(
        'render: --keep changes the text alone: expected --format nft with it, got json',
      )
    const spec = await loadSpec(path as string, options)
    const ruleset = isText ? undefined : renderKnock(spec)
    const text = ruleset ? `${JSON.stringify(ruleset, null, 2)}\n` : renderKnockText(spec, { keep })
    const output = textOf(options, 'output')
    if (output === undefined) return { json: ruleset ?? { format: 'nft', text }, text }
    await writeWhole(output, text)
    return { json: { output }, text: `${output} written\n` }
  },
}
