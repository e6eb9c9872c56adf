// Recipes and the packets that passed → a page of Markdown. Pure.
import { list, paragraph, table } from './markdown.js'
import type { Recipe } from './recipes.js'
import type { Trace } from './traces/traces.js'

const HEAD = `# Beside others

This page says what known recipes let in, and what a knocklib table for the same purpose lets in of
the same packets. Each recipe is set up afresh as it is described, and both are sent the packets in
network namespaces. A test sends all of them again, and fails if this page is no longer true:

\`\`\`sh
npm run test:one -- integration/peers/peers.test.ts     # as root, with iptables and knockd
\`\`\`

- Times are counted from a trace's start.
- Each SYN has a source port of its own unless a trace says otherwise.
- If several packets go to the service, the cells name those that get in by their times.
`

const COLUMNS = ['Trace', 'Sent', 'Peer lets in', 'knocklib lets in']

/**
 * Writes the traces that peer and knocklib judge differently. Traces with the same reason share an
 * item.
 */
function differences(traces: readonly Trace[], seen: readonly string[]): string[] {
  const names = new Map<string, string[]>()
  for (const [index, { name, ours, why = '' }] of traces.entries()) {
    if (seen[index] === ours) continue
    names.set(why, [...(names.get(why) ?? []), `**${name}**`])
  }
  return [...names].map(([why, all]) => `${all.join('; ')}: ${why}.`)
}

/** Writes the page. `peers`: for each recipe, what the peer let in of each trace. */
export function pageOf(recipes: readonly Recipe[], peers: readonly (readonly string[])[]): string {
  const sections = recipes.map(({ title, about, traces }, place) => {
    const seen = traces.map((_, index) => peers[place]?.[index] ?? '')
    const rows = traces.map(({ name, sent, ours }, index) => [name, sent, seen[index] ?? '', ours])
    const parts = [
      `## ${title}`,
      paragraph(about),
      table(COLUMNS, rows),
      'Where they differ:',
      list(differences(traces, seen)),
    ]
    return `\n${parts.join('\n\n')}\n`
  })
  return HEAD + sections.join('')
}
