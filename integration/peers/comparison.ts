// What is known of peers, as data → the tables of the page that compares. Pure.

export interface Comparison {
  readonly peers: readonly { readonly name: string; readonly is: string; readonly looked: string }[]
  readonly features: readonly Feature[]
  /** Read, not run. */
  readonly newer: readonly {
    readonly name: string
    readonly from: string
    readonly is: string
    readonly has: string
  }[]
}

interface Feature {
  readonly feature: string
  /** ● yes, ◐ in part, – no, ? not found out; or a few words. */
  readonly knocklib: string
  /** The file of the test that shows it; none if knocklib does not have it. */
  readonly test?: string
  /** By peer. */
  readonly others: Readonly<Record<string, string>>
}

const row = (cells: readonly string[]): string =>
  `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |')
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${'---|'.repeat(head.length)}`, ...rows.map(row)].join('\n')

const peersTable = ({ peers }: Comparison): string =>
  table(
    ['', 'What it is', 'Looked at'],
    peers.map(({ name, is, looked }) => [name, is, looked]),
  )

/** Each feature that knocklib has links to the test that shows it. */
function featuresTable({ features }: Comparison): string {
  const peers = Object.keys(features[0]?.others ?? {})
  return table(
    ['', 'knocklib', ...peers.map((peer) => (peer === 'recent' ? '`recent`' : peer))],
    features.map(({ feature, knocklib, test, others }) => [
      feature,
      test === undefined ? knocklib : `[${knocklib}](../../${test})`,
      ...peers.map((peer) => others[peer] ?? '?'),
    ]),
  )
}

const newerTable = ({ newer }: Comparison): string =>
  table(
    ['', 'What it is', 'Has, and knocklib has not'],
    newer.map(({ name, from, is, has }) => [`${name} (${from})`, is, has]),
  )

/** The page with its tables, each after a comment that names it, as the data has them. */
export function withTables(page: string, comparison: Comparison): string {
  const tables = {
    peers: peersTable(comparison),
    features: featuresTable(comparison),
    newer: newerTable(comparison),
  }
  return page.replace(
    /<!-- (peers|features|newer) -->\n(?:\|.*\n)*/g,
    (_, name: keyof typeof tables) => `<!-- ${name} -->\n${tables[name]}\n`,
  )
}
