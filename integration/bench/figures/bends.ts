// Results → where each first bends as doors, sources or tokens grow. Pure.
import { list, table } from '../../peers/markdown.js'
import type { Row } from '../report.js'
import {
  beyond,
  count,
  nanoseconds,
  numbersOf,
  type Results,
  rowsOf,
  time,
  unique,
  variantsOf,
} from './values.js'

const OURS = 'knocklib'
/** A cost that should not grow has bent when it is more than so many times the first one. */
const BENT = 1.5

interface Point {
  readonly x: number
  readonly y: number
}

const pointsOf = (rows: readonly Row[], variant: string, y: (row: Row) => number): Point[] =>
  numbersOf(rows).flatMap((x) => {
    const row = rows.find((one) => one.variant === variant && one.x === x)
    return row ? [{ x, y: y(row) }] : []
  })

/** The first point that is above what is good for all before it; undefined if there is none. */
function bendOf(points: readonly Point[], good: (before: readonly Point[]) => number) {
  return points.find(({ y }, index) => index > 0 && y > good(points.slice(0, index)))
}

interface Question {
  readonly grows: string
  readonly what: string
  readonly rows: readonly Row[]
  readonly value: (row: Row) => number
  readonly show: (value: number) => string
  /** Whether the value may grow as its number does. */
  readonly isLinear?: boolean
}

/** Where something bends: the number, if it does, and in words. */
interface Bend {
  readonly grows: string
  readonly what: string
  readonly who: string
  readonly from?: number
  readonly words: string
}

function judge(question: Question, variant: string, who = variant): Bend {
  const { grows, what, rows, value, show, isLinear = false } = question
  const points = pointsOf(rows, variant, value)
  const judged = isLinear ? points.map(({ x, y }) => ({ x, y: y / x })) : points
  const bend = bendOf(judged, (before) => BENT * Math.min(...before.map(({ y }) => y)))
  const [first, last] = [points[0] as Point, points.at(-1) as Point]
  const bent = points.find(({ x }) => x === bend?.x)
  const range = `${show(first.y)} to ${show((bent ?? last).y)}`
  return bent
    ? { grows, what, who, from: bent.x, words: `**${count(bent.x)}** (${range})` }
    : { grows, what, who, words: `not up to ${count(last.x)} (${range})` }
}

/** Where the first client is not let in any more. */
function refusedFrom(rows: readonly Row[], who: string): Bend {
  const points = pointsOf(rows, who, ({ value }) => value)
  const tries = Number(/\d+/.exec(rows[0]?.unit ?? '')?.[0] ?? 0)
  const bend = points.find(({ y }) => y < tries)
  const own = { grows: 'sources', what: 'knocks during a flood fail', who }
  const most = points.at(-1)?.x ?? 0
  return bend
    ? { ...own, from: bend.x, words: `**${count(bend.x)}** (${bend.y} of ${tries})` }
    : { ...own, words: `not up to ${count(most)}` }
}

function bendsOf({ packets, install, sources, guesses }: Results): Bend[] {
  const questions: Question[] = [
    {
      ...{ grows: 'doors', what: 'a packet to an unrelated port', show: nanoseconds },
      rows: rowsOf(packets, 'packets').filter(({ x }) => x !== undefined),
      value: ({ value }) => value,
    },
    {
      ...{ grows: 'sources', what: 'a packet of a flood', show: nanoseconds, value: beyond },
      rows: rowsOf(sources, 'a packet of the flood'),
    },
    ...['tokens', 'users'].map((grows) => ({
      ...{ grows, what: 'a wrong token', show: nanoseconds, value: beyond },
      rows: rowsOf(guesses, grows).map((row) => ({ ...row, variant: OURS })),
    })),
  ]
  const letIn = rowsOf(sources, 'let in')
  const calls = variantsOf(rowsOf(install, 'install')).filter((name) => name !== 'nft alone')
  return [
    ...questions.flatMap((question) =>
      variantsOf(question.rows).map((who) => judge(question, who)),
    ),
    ...variantsOf(letIn).map((who) => refusedFrom(letIn, who)),
    ...calls.map((call) => {
      const rows = rowsOf(install, 'install').filter(({ variant }) => variant === call)
      const what = `${call}, for each door`
      const value = ({ value }: Row) => value
      return judge({ grows: 'doors', what, isLinear: true, show: time, rows, value }, call, OURS)
    }),
  ]
}

/** Names what bends first in knocklib, for each thing that grows. */
export function firstBends(results: Results): string {
  const ours = bendsOf(results).filter(({ who }) => who === OURS)
  return list(
    unique(ours.map(({ grows }) => grows)).map((grows) => {
      const all = ours.filter((one) => one.grows === grows)
      const [first] = all
        .filter(({ from }) => from !== undefined)
        .sort((a, b) => (a.from ?? 0) - (b.from ?? 0))
      return `More ${grows}: ${first ? `${first.what}, from ${first.words}` : 'nothing bends'}.`
    }),
  )
}

/** A row for each thing that can bend. */
export const bendsTable = (results: Results): string =>
  table(
    ['What grows', 'What bends', 'Who', 'From'],
    bendsOf(results).map(({ grows, what, who, words }) => [grows, what, who, words]),
  )
