// Facts about peers, as data → the tables of the comparison page. Pure.
import { list, table } from './markdown.js'

export interface Comparison {
  readonly peers: readonly { readonly name: string; readonly is: string; readonly looked: string }[]
  readonly features: readonly Feature[]
  /** Newer peers, which were read and not run. */
  readonly newer: readonly {
    readonly name: string
    readonly from: string
    readonly is: string
    readonly has: string
  }[]
}

interface Feature {
  readonly feature: string
  /** ● yes, ◐ in part, – no, ? unknown; or a few words. */
  readonly knocklib: string
  /** The file of the test that shows it; absent if knocklib does not have it. */
  readonly test?: string
  /** The same for each peer. */
  readonly others: Readonly<Record<string, string>>
}

const peersList = ({ peers }: Comparison): string =>
  list(peers.map(({ name, is, looked }) => `**${name}**: ${is}. Basis: ${looked}.`))

/** Returns the tests that show features, each once. A link's label is the place here, from 1. */
const testsOf = ({ features }: Comparison): string[] => [
  ...new Set(features.flatMap(({ test }) => (test === undefined ? [] : [test]))),
]

/** Writes the table of features. Each feature of knocklib links to the test that shows it. */
function featuresTable(comparison: Comparison): string {
  const { features } = comparison
  const peers = Object.keys(features[0]?.others ?? {})
  const tests = testsOf(comparison)
  const rows = features.map(({ feature, knocklib, test, others }) => [
    feature,
    test === undefined ? knocklib : `[${knocklib}][${tests.indexOf(test) + 1}]`,
    ...peers.map((peer) => others[peer] ?? '?'),
  ])
  const head = ['', 'knocklib', ...peers.map((peer) => (peer === 'recent' ? '`recent`' : peer))]
  const links = tests.map((test, index) => `[${index + 1}]: ../../${test}`)
  return `${table(head, rows)}\n\n${links.join('\n')}`
}

const newerList = ({ newer }: Comparison): string =>
  list(
    newer.map(({ name, from, is, has }) => `**${name}** (${from}): ${is}. knocklib lacks: ${has}.`),
  )

/**
 * The parts of the page that are written from the data. Two comments with its name enclose each.
 */
export const PARTS = ['peers', 'features', 'newer'] as const

/** Replaces the parts of the page by those of the data. */
export function withTables(page: string, comparison: Comparison): string {
  const parts: Readonly<Record<(typeof PARTS)[number], string>> = {
    peers: peersList(comparison),
    features: featuresTable(comparison),
    newer: newerList(comparison),
  }
  return page.replace(
    /<!-- (peers|features|newer) -->\n.*?<!-- end -->/gs,
    (_, name: (typeof PARTS)[number]) => `<!-- ${name} -->\n\n${parts[name]}\n\n<!-- end -->`,
  )
}
