// Results → what was aimed at, and what was measured. Pure.
import { table } from '../../peers/markdown.js'
import { count, find, type Results, ratio, time } from './values.js'

interface Target {
  readonly what: string
  readonly unit: 'ms' | '×'
  /** The most, or the least that is good. */
  readonly most?: number
  readonly least?: number
  readonly measured: number | undefined
}

const KNOCKLIB = 'knocklib'
const HOOKS = ['input', 'prerouting', 'ingress']

function targetsOf({ packets, scan, established, install }: Results): Target[] {
  const installed = (what: string, doors: number, most: number): Target => ({
    ...{ what: `${what}, ${count(doors)} doors`, unit: 'ms', most },
    measured: find(install, 'install', what, doors)?.value,
  })
  const unrelated = (doors: number, most: number): Target => ({
    ...{ what: `unrelated packet, doors: ${count(doors)}`, unit: '×', most },
    measured: find(packets, 'packets', KNOCKLIB, doors)?.ratio,
  })
  const scanned = (part: string, hook: string, most: number): Target => ({
    ...{ what: `scan at ${hook}, ${part}`, unit: '×', most },
    measured: find(scan, part, `knocklib at ${hook}`)?.ratio,
  })
  return [
    installed('install', 1000, 700),
    installed('install', 10_000, 5000),
    installed('the same again', 1000, 400),
    installed('one door changed', 1000, 500),
    ...[unrelated(1, 1.12), unrelated(10_000, 1.15)],
    ...['prerouting', 'ingress'].map((hook) => scanned('to rules by hand', hook, 1.4)),
    ...['prerouting', 'ingress'].map((hook) => scanned('to no log', hook, 1.1)),
    ...HOOKS.map(
      (hook): Target => ({
        ...{ what: `established at ${hook}, to no table`, unit: '×', least: 0.97 },
        measured: find(established, 'large segments', `knocklib at ${hook}`)?.ratio,
      }),
    ),
  ]
}

/** A row for each target. */
export function targetsTable(results: Results): string {
  const lines = targetsOf(results).map(({ what, unit, most, least, measured }) => {
    const show = unit === 'ms' ? time : ratio
    const goal = most === undefined ? `at least ${show(least ?? 0)}` : `at most ${show(most)}`
    if (measured === undefined) return [what, goal, 'not measured', '']
    const isMet = measured <= (most ?? Number.POSITIVE_INFINITY) && measured >= (least ?? 0)
    return [what, goal, show(measured), isMet ? 'met' : 'missed']
  })
  return table(['', 'goal', 'measured', ''], lines)
}
