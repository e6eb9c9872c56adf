// A module of the project, by the path of its source → its compiled text. Reads .cache/compiled.
//
// Each test is a process of its own. With a compiler in each, each would take 150 MB and a second
// of processor time more. A module keeps the address of its source, because it finds its files
// beside that.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

const root = new URL('../../', import.meta.url).href
const compiled = new URL('.cache/compiled/', root).href
const SOURCE = /^(?:lib|integration)\/[^?]*\.ts$/

/**
 * Where the compiled text of a source lies; undefined for all that is no source of this project.
 */
function compiledOf(url) {
  if (!url.startsWith(root)) return undefined
  const path = url.slice(root.length)
  return SOURCE.test(path) ? new URL(path.replace(/\.ts$/, '.js'), compiled) : undefined
}

export function resolve(specifier, context, next) {
  if (/^(?:\.|file:)/.test(specifier) && specifier.endsWith('.js')) {
    const url = new URL(specifier, context.parentURL).href.replace(/\.js$/, '.ts')
    const file = compiledOf(url)
    if (file && existsSync(file)) return { url, format: 'module', shortCircuit: true }
  }
  return next(specifier, context)
}

export async function load(url, context, next) {
  const file = compiledOf(url)
  if (!file) return next(url, context)
  const source = withSource(await readFile(file, 'utf8'), url)
  return { format: 'module', source, shortCircuit: true }
}

/** The compiler's map names the source relative to where the compiled text lies. */
const withSource = (text, url) =>
  text.replace(/(?<=\n\/\/# sourceMappingURL=data:application\/json;base64,)\S+/, (encoded) => {
    const map = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'))
    return Buffer.from(JSON.stringify({ ...map, sources: [url] })).toString('base64')
  })
