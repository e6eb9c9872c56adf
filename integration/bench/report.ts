// Figures → a table for people and a JSON file under .cache/bench. Each has the minimum and the
// median of its runs.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly runs: readonly number[]
}

const sorted = (runs: readonly number[]): number[] => [...runs].sort((a, b) => a - b)
export const minimum = (runs: readonly number[]): number => sorted(runs)[0] ?? Number.NaN
export const median = (runs: readonly number[]): number =>
  sorted(runs)[Math.floor(runs.length / 2)] ?? Number.NaN

/** Returns the median of the ratios of runs that were made in pairs, one right after the other. */
export const pairedRatio = (a: readonly number[], b: readonly number[]): number =>
  median(a.map((value, index) => value / (b[index] as number)))

export function report(
  name: string,
  figures: readonly Figure[],
  ratios: Readonly<Record<string, number>> = {},
): void {
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus().length} × ${cpus()[0]?.model}`,
    kernel: release(),
    node: process.version,
  }
  console.log(`${name}: ${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}`)
  const width = Math.max(
    ...[...figures.map((f) => f.name), ...Object.keys(ratios)].map((n) => n.length),
  )
  for (const { name: label, unit, runs } of figures) {
    const [least, middle] = [minimum(runs), median(runs)].map((n) => n.toFixed(n < 100 ? 2 : 0))
    console.log(
      `  ${label.padEnd(width)}  min ${least}  median ${middle} ${unit}  (${runs.length} runs)`,
    )
  }
  for (const [label, ratio] of Object.entries(ratios)) {
    console.log(`  ${label.padEnd(width)}  ${ratio.toFixed(3)} ×`)
  }
  const folder = new URL('../bench/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const file = new URL(`${name}.json`, folder)
  writeFileSync(file, `${JSON.stringify({ name, machine, figures, ratios }, null, 2)}\n`)
}
