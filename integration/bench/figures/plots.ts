// Results → the plots of the page, by the names of their files. Pure.
import type { Row } from '../report.js'
import { drawPlot, type Plot, type Series } from './svg.js'
import { beyond, numbersOf, type Results, rowsOf, variantsOf } from './values.js'

const seriesOf = (rows: readonly Row[], y: (row: Row) => number): Series[] =>
  variantsOf(rows).map((name) => ({
    name,
    points: numbersOf(rows).flatMap((x) => {
      const row = rows.find((one) => one.variant === name && one.x === x)
      return row ? [[x, y(row)] as const] : []
    }),
  }))

const named = (rows: readonly Row[], variant: string) => rows.map((row) => ({ ...row, variant }))

/** The plots, each with its file's name without the ending. */
export function plotsOf(results: Results): Readonly<Record<string, Plot>> {
  const { packets, install, sources, guesses } = results
  return {
    'packets-by-doors': {
      title: 'A packet to an unrelated port, by the number of doors',
      description:
        'The time for a packet as a multiple of that behind a plain firewall. ' +
        'The numbers are in the table.',
      ...{ x: 'doors', y: 'times the plain firewall', isLog: true },
      series: seriesOf(
        rowsOf(packets, 'packets').filter(({ x }) => x !== undefined),
        ({ ratio = 1 }) => ratio,
      ),
    },
    'install-by-doors': {
      title: 'Installing, changing and asking, by the number of doors',
      description: 'The milliseconds of each call. The numbers are in the table.',
      ...{ x: 'doors', y: 'milliseconds', isLog: true },
      series: seriesOf(rowsOf(install, 'install'), ({ value }) => value),
    },
    'flood-by-sources': {
      title: 'A packet of a flood on the first knock port, by the number of sources',
      description:
        'The nanoseconds for a packet beyond the generator. The numbers are in the table.',
      ...{ x: 'sources', y: 'ns a packet, beyond the generator', isLog: false },
      series: seriesOf(rowsOf(sources, 'a packet of the flood'), beyond),
    },
    'guesses-by-number': {
      title: 'A wrong token, by the number of tokens and of users',
      description:
        'The nanoseconds for a datagram beyond the generator. The numbers are in the table.',
      ...{ x: 'tokens, or users', y: 'ns a datagram, beyond the generator', isLog: true },
      series: seriesOf(
        [
          ...named(rowsOf(guesses, 'tokens'), 'by tokens of one user'),
          ...named(rowsOf(guesses, 'users'), 'by users'),
        ],
        beyond,
      ),
    },
  }
}

/** The plots as files: name → SVG. */
export const drawPlots = (results: Results): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(plotsOf(results)).map(([name, plot]) => [`${name}.svg`, drawPlot(plot)]),
  )
