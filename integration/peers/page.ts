// Recipes and what was let in → a page of Markdown. Pure.
import type { Recipe } from './recipes.js'
import type { Trace } from './traces/traces.js'

const HEAD = `# Beside others

Each recipe that people know is set up afresh as it is described, beside a knocklib table for the same purpose.
Both are sent the same packets in network namespaces: what does each let in? A test,
\`integration/peers/peers.test.ts\`, sends all of them again and fails if this page is no longer true.

Times are counted from a trace's start. Each SYN has a source port of its own unless a trace says otherwise.
If several packets go to the service, those that get in are named by their times.
`

/** A row: what the peer was seen to let in, and what ours must. */
function rowOf({ name, sent, ours, why }: Trace, peer: string): string {
  const cells = [name, sent, peer, ours, peer === ours ? '' : (why ?? '')]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** `peers`: for each recipe, what the peer let in of each trace. */
export function pageOf(recipes: readonly Recipe[], peers: readonly (readonly string[])[]): string {
  const sections = recipes.map(({ title, about, traces }, place) => {
    const rows = traces.map((trace, index) => rowOf(trace, peers[place]?.[index] ?? ''))
    const head = '| Trace | Sent | Peer lets in | knocklib lets in | Why |\n|---|---|---|---|---|'
    return `\n## ${title}\n\n${about}\n\n${head}\n${rows.join('\n')}\n`
  })
  return HEAD + sections.join('')
}
