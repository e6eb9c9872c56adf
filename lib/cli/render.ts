// knocklib render: the ruleset of a spec, as nft's JSON or as text.
import { renderKnock, renderKnockText } from '../index.js'
import { type CommandDefinition, textOf } from './command.js'
import { loadSpec } from './spec-file.js'
import { writeWhole } from './write-file.js'

export const render: CommandDefinition = {
  usage: 'render <spec>',
  summary: 'print the ruleset; needs no root',
  examples: [
    'knocklib render doors.json',
    'knocklib render doors.json --format nft --output /etc/knock.nft',
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
      flags: '--output <file>',
      description: 'replace this file, all of it or not at all, mode 0600',
    },
  ],
  async run([path], options) {
    const spec = await loadSpec(path as string, options)
    const isText = options['format'] === 'nft'
    const ruleset = renderKnock(spec)
    const text = isText ? renderKnockText(spec) : `${JSON.stringify(ruleset, null, 2)}\n`
    const output = textOf(options, 'output')
    if (output === undefined) return { json: isText ? { format: 'nft', text } : ruleset, text }
    await writeWhole(output, text)
    return { json: { output }, text: `${output} written\n` }
  },
}
