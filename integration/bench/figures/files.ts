// docs/decide/figures → the results that the page is made of, and the files that are made of them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from '../report.js'
import { withFigures } from './page.js'
import { drawPlots } from './plots.js'
import { PARTS, type Results } from './values.js'

/** The page and its folder of results, below the repository's root. */
const PAGE = 'docs/decide/performance.md'
const FOLDER = 'docs/decide/figures'

const parse = (path: string): Result => JSON.parse(readFileSync(path, 'utf8'))

export function readResults(root: string): Results {
  const present = PARTS.map((name) => join(root, FOLDER, `${name}.json`)).filter(existsSync)
  return Object.fromEntries(present.map(parse).map((result) => [result.name, result]))
}

/** What the files should hold by the results, by their paths below the root. */
export function filesOf(root: string, results: Results): Readonly<Record<string, string>> {
  const plots = Object.entries(drawPlots(results))
  return {
    [PAGE]: withFigures(readFileSync(join(root, PAGE), 'utf8'), results),
    ...Object.fromEntries(plots.map(([name, text]) => [`${FOLDER}/${name}`, text])),
  }
}

export function writePage(root: string): void {
  for (const [path, text] of Object.entries(filesOf(root, readResults(root)))) {
    writeFileSync(join(root, path), text)
  }
}

/** Copies the newest results into the folder. Returns their names. */
export function takeOver(root: string): string[] {
  return PARTS.filter((name) => {
    const from = join(root, `.cache/bench/${name}.json`)
    const to = join(root, FOLDER, `${name}.json`)
    if (!existsSync(from)) return false
    const result = parse(from)
    if (existsSync(to) && parse(to).date >= result.date) return false
    writeFileSync(to, `${JSON.stringify(result, null, 2)}\n`)
    return true
  })
}
