// The rows of a result → those of a part, and numbers as words. Pure.
import type { Result, Row } from '../report.js'

/** The results of the benchmarks that make the page, by name. */
export const PARTS = [
  ...['packets', 'scan', 'established', 'install', 'sources', 'guesses'],
] as const
export type Results = Readonly<Record<string, Result>>

export const rowsOf = (result: Result | undefined, part: string): readonly Row[] =>
  result?.rows.filter((row) => row.part === part) ?? []

export const find = (
  result: Result | undefined,
  part: string,
  variant: string,
  x?: number,
): Row | undefined =>
  rowsOf(result, part).find((row) => row.variant === variant && (x ?? row.x) === row.x)

export const unique = <T>(all: readonly T[]): T[] => [...new Set(all)]

export const variantsOf = (rows: readonly Row[]): string[] =>
  unique(rows.map(({ variant }) => variant))

/** The numbers of doors, sources or tokens in rows, the least first. */
export const numbersOf = (rows: readonly Row[]): number[] =>
  unique(rows.flatMap(({ x }) => (x === undefined ? [] : [x]))).sort((a, b) => a - b)

/** What comes on top of the floor. */
export const beyond = ({ value, floor = 0 }: Row): number => value - floor

export const count = (value: number): string => Math.round(value).toLocaleString('en')

export const ratio = (value: number | undefined): string =>
  value === undefined
    ? ''
    : value < 10
      ? value.toFixed(2)
      : value.toLocaleString('en', { maximumSignificantDigits: 3 })

export const nanoseconds = (value: number): string => `${count(value)} ns`

export const time = (milliseconds: number): string =>
  milliseconds < 1000
    ? `${milliseconds.toLocaleString('en', { maximumSignificantDigits: 3 })} ms`
    : `${(milliseconds / 1000).toLocaleString('en', { maximumSignificantDigits: 3 })} s`

/** A great number a second. */
export const rate = (value: number): string =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)} million` : count(Math.round(value / 1000) * 1000)
