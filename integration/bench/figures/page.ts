// Results → the parts of docs/decide/performance.md that are written from them. Pure.
import { list, paragraph } from '../../peers/markdown.js'
import type { Result } from '../report.js'
import { bendsTable, firstBends } from './bends.js'
import { plotsOf } from './plots.js'
import {
  establishedTable,
  guessesTables,
  installTable,
  packetsTables,
  scanTable,
  sourcesTables,
} from './tables.js'
import { targetsTable } from './targets.js'
import type { Results } from './values.js'

/** When, where and how it was measured, and what was left out. */
function sourceOf({ name, date, machine, load, method, quick, absent }: Result): string {
  const { cpu, cores, kernel, node, nft } = machine
  const text =
    `\`npm run bench -- ${name}\`, ${date.slice(0, 10)}: ${cores} × ${cpu}, Linux ${kernel}, ` +
    `Node ${node}, nft ${nft}, load ${load.start.toFixed(1)} to ${load.end.toFixed(1)}. ${method}` +
    (quick ? ' **A short run: it shows the order of size and no more.**' : '')
  const missing = absent.length > 0 ? ['Left out:', list(absent)] : []
  return [paragraph(text), ...missing].join('\n\n')
}

const plot = (results: Results, name: string): string =>
  `![${plotsOf(results)[name]?.title}](figures/${name}.svg)`

const WRITERS: Readonly<Record<string, (results: Results) => readonly string[]>> = {
  targets: (results) => [targetsTable(results)],
  bends: (results) => [
    'The first thing that bends in knocklib:',
    firstBends(results),
    'All of them, beside others:',
    bendsTable(results),
  ],
  packets: (results) => of(results, 'packets', packetsTables, plot(results, 'packets-by-doors')),
  scan: (results) => of(results, 'scan', scanTable),
  established: (results) => of(results, 'established', establishedTable),
  install: (results) => of(results, 'install', installTable, plot(results, 'install-by-doors')),
  sources: (results) => of(results, 'sources', sourcesTables, plot(results, 'flood-by-sources')),
  guesses: (results) => of(results, 'guesses', guessesTables, plot(results, 'guesses-by-number')),
}

function of(
  results: Results,
  name: string,
  write: (result: Result) => string,
  ...more: string[]
): string[] {
  const result = results[name]
  return result ? [sourceOf(result), write(result), ...more] : ['Not measured.']
}

/** The names of the parts. Two comments, with the name and `end`, enclose each. */
export const MARKS = Object.keys(WRITERS)

/** Replaces the parts of the page by those of the results. */
export const withFigures = (page: string, results: Results): string =>
  page.replace(/<!-- (\w+) -->\n.*?<!-- end -->/gs, (old, name: string) => {
    const parts = WRITERS[name]?.(results)
    return parts ? `<!-- ${name} -->\n\n${parts.join('\n\n')}\n\n<!-- end -->` : old
  })
