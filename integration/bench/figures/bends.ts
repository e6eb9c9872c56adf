// Results → where each first bends as doors, sources or tokens grow. Pure.
import { table } from '../../peers/markdown.js'
import type { Row } from '../report.js'
import {
  beyond,
  count,
  nanoseconds,
  numbersOf,
  type Results,
  rowsOf,
  time,
  variantsOf,
} from './values.js'

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

function answer({ rows, value, show, isLinear = false }: Question, variant: string): string {
  const points = pointsOf(rows, variant, value)
  const [first] = points
  if (!first) return ''
  const judged = isLinear ? points.map(({ x, y }) => ({ x, y: y / x })) : points
  const bend = bendOf(judged, (before) => BENT * Math.min(...before.map(({ y }) => y)))
  const last = points.at(-1) as Point
  const range = `${show(first.y)} to ${show(last.y)}`
  if (!bend) return `not up to ${count(last.x)} (${range})`
  const bent = points.find(({ x }) => x === bend.x) as Point
  return `**${count(bend.x)}** (${show(first.y)} to ${show(bent.y)})`
}

/** Where the first client is not let in any more. */
function refusedFrom(rows: readonly Row[], variant: string): string {
  const points = pointsOf(rows, variant, ({ value }) => value)
  const tries = Number(/\d+/.exec(rows[0]?.unit ?? '')?.[0] ?? 0)
  const bend = points.find(({ y }) => y < tries)
  const last = points.at(-1)
  if (!last) return ''
  return bend ? `**${count(bend.x)}** (${bend.y} of ${tries})` : `not up to ${count(last.x)}`
}

/** A row for each thing that grows: the number from which on it bends. */
export function bendsTable(results: Results): string {
  const { packets, install, sources, guesses } = results
  const installed = (variant: string): Question => ({
    ...{ grows: 'doors', what: variant, isLinear: true, show: time },
    rows: rowsOf(install, 'install').filter((row) => row.variant === variant),
    value: ({ value }) => value,
  })
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
      rows: rowsOf(guesses, grows).map((row) => ({ ...row, variant: 'knocklib' })),
    })),
  ]
  const letIn = rowsOf(sources, 'let in')
  const calls = ['install', 'the same again', 'one door changed', 'status']
  const lines = [
    ...questions.flatMap((question) =>
      variantsOf(question.rows).map((who) => [
        ...[question.grows, question.what, who],
        answer(question, who),
      ]),
    ),
    ...variantsOf(letIn).map((who) => [
      ...['sources', 'knocks during a flood fail', who],
      refusedFrom(letIn, who),
    ]),
    ...calls.map((call) => [
      ...['doors', `${call}, for each door`, 'knocklib'],
      answer(installed(call), call),
    ]),
  ]
  return table(['What grows', 'What bends', 'Who', 'From'], lines)
}
