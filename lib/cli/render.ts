// knocklib render: the ruleset of a spec, as nft's JSON or as text.
import { renderKnock, renderKnockText } from '../index.js'
import type { CommandDefinition } from './command.js'
import { loadSpec } from './spec-file.js'

export const render: CommandDefinition = {
  usage: 'render <spec>',
  summary: 'print the ruleset; needs no root',
  examples: [
    'knocklib render doors.json | nft -j -f /dev/stdin',
    'knocklib render doors.json --format nft > /etc/nftables.d/knock.nft',
  ],
  options: [
    {
      flags: '--format <format>',
      description: 'nft JSON, or text for nft -f',
      choices: ['json', 'nft'],
      default: 'json',
    },
  ],
  async run([path], options) {
    const spec = await loadSpec(path as string, options)
    const json = renderKnock(spec)
    if (options['format'] === 'nft') {
      const text = renderKnockText(spec)
      return { json: { format: 'nft', text }, text }
    }
    return { json, text: `${JSON.stringify(json, null, 2)}\n` }
  },
}
