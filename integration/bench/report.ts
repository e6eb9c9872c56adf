// Rows of figures → a table for people, and a JSON file under .cache/bench with the machine, its
// load and the method.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { NFT } from '../machine/namespaces.js'

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly runs: readonly number[]
}

/** What was measured of one variant. */
export interface Row {
  /** The table of the benchmark that it belongs to. */
  readonly part: string
  readonly variant: string
  /** How many doors, sources or tokens. */
  readonly x?: number
  /** The median of the runs. */
  readonly value: number
  readonly least?: number
  readonly unit: string
  /** The median of the floor in the same rounds: what is there without the thing measured. */
  readonly floor?: number
  /** The median of the ratios to another variant in the same rounds. */
  readonly ratio?: number
  /** The other variant. */
  readonly to?: string
  readonly runs?: number
}

export interface Result {
  readonly name: string
  readonly date: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly kernel: string
    readonly node: string
    readonly nft: string
  }
  /** The load average of the last minute. */
  readonly load: { readonly start: number; readonly end: number }
  /** One sentence: what was done how often. */
  readonly method: string
  /** A short run, which shows the order of size and no more. */
  readonly quick: boolean
  readonly rows: readonly Row[]
  /** Variants that could not be measured, each with the reason. */
  readonly absent: readonly string[]
}

const sorted = (runs: readonly number[]): number[] => [...runs].sort((a, b) => a - b)
export const minimum = (runs: readonly number[]): number => sorted(runs)[0] ?? Number.NaN
export const median = (runs: readonly number[]): number =>
  sorted(runs)[Math.floor(runs.length / 2)] ?? Number.NaN

/** Returns the median of the ratios of runs that were made in pairs, one right after the other. */
export const pairedRatio = (a: readonly number[], b: readonly number[]): number =>
  median(a.map((value, index) => value / (b[index] as number)))

/** Rounds to four digits: no figure here is more exact. */
const round = (value: number): number => Number(value.toPrecision(4))

export interface Measured {
  readonly part: string
  readonly variant: string
  readonly x?: number | undefined
  readonly unit: string
  readonly runs: readonly number[]
  /** The floor in the same rounds. */
  readonly floor?: readonly number[] | undefined
  /** What the ratio is to, in the same rounds. */
  readonly base?: { readonly name: string; readonly runs: readonly number[] } | undefined
  /** Whether the floor is subtracted from both sides of the ratio. */
  readonly isBeyondFloor?: boolean
}

/** Makes a row of the runs of a variant. */
export function rowOf(measured: Measured): Row {
  const { part, variant, x, unit, runs, floor, base, isBeyondFloor = false } = measured
  const own = (all: readonly number[]) =>
    isBeyondFloor ? all.map((value, index) => value - (floor?.[index] ?? 0)) : all
  return {
    part,
    variant,
    ...(x !== undefined && { x }),
    value: round(median(runs)),
    ...(runs.length > 1 && { least: round(minimum(runs)) }),
    unit,
    ...(floor && { floor: round(median(floor)) }),
    ...(base && { ratio: round(pairedRatio(own(runs), own(base.runs))), to: base.name }),
    ...(runs.length > 1 && { runs: runs.length }),
  }
}

/** Whether `--quick` asks for a short run. */
export const QUICK = process.argv.includes('--quick')
const loadAtStart = loadavg()[0] ?? 0

type Parts = Pick<Result, 'method' | 'rows'> & {
  readonly absent?: readonly string[]
  /** The version of nft, if it is not the usual one. */
  readonly nft?: string
}

function resultOf(name: string, { nft, absent = [], ...parts }: Parts): Result {
  const { stdout } = spawnSync(NFT, ['--version'], { encoding: 'utf8' })
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.versions.node,
    nft: nft ?? /v(\S+)/.exec(stdout ?? '')?.[1] ?? 'unknown',
  }
  const load = { start: round(loadAtStart), end: round(loadavg()[0] ?? 0) }
  return { name, date: new Date().toISOString(), machine, load, quick: QUICK, ...parts, absent }
}

const shown = (value: number): string => value.toLocaleString('en', { maximumSignificantDigits: 4 })

function lineOf({ part, variant, x, value, least, unit, floor, ratio, to }: Row): string {
  const label = `${part}: ${variant}${x === undefined ? '' : `, ${x.toLocaleString('en')}`}`
  return [
    `  ${label.padEnd(56)}  ${shown(value)} ${unit}`,
    ...(least === undefined ? [] : [`least ${shown(least)}`]),
    ...(floor === undefined ? [] : [`floor ${shown(floor)}`]),
    ...(ratio === undefined ? [] : [`${ratio.toFixed(3)} × ${to}`]),
  ].join('  ')
}

/** Prints rows, and writes them as JSON. */
export function reportRows(name: string, parts: Parts): void {
  const result = resultOf(name, parts)
  const { machine, load } = result
  console.log(`${name}: ${machine.cores} × ${machine.cpu}, Linux ${machine.kernel}`)
  console.log(`  Node ${machine.node}, nft ${machine.nft}, load ${load.start} to ${load.end}`)
  console.log(`  ${result.method}`)
  for (const row of result.rows) console.log(lineOf(row))
  for (const reason of result.absent) console.log(`  left out: ${reason}`)
  const folder = new URL('../../bench/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(result, null, 2)}\n`)
}

/** Reports figures that have no place among others, and ratios that were computed already. */
export function report(
  name: string,
  figures: readonly Figure[],
  ratios: Readonly<Record<string, number>> = {},
): void {
  const rows = figures.map(({ name: variant, unit, runs }) =>
    rowOf({ part: name, variant, unit, runs }),
  )
  const more = Object.entries(ratios).map(([variant, value]) => ({
    ...{ part: 'ratio', variant, value: round(value), unit: '×' },
  }))
  reportRows(name, { method: 'Least and median of the runs.', rows: [...rows, ...more] })
}
