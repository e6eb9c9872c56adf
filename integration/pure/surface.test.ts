// The built package → the same exports as in docs/embed/surface.txt. UPDATE=1 writes that file
// again; read the difference.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { surfaceOf } from './surface.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const REPORT = `${ROOT}docs/embed/surface.txt`

const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  exports: Record<string, string | { types: string }>
}
const entries = Object.entries(exports).flatMap(([path, entry]) =>
  typeof entry === 'string' ? [] : [[path.replace('.', 'knocklib'), entry.types] as const],
)

t.test('the surface is the one that is written down', async (t) => {
  const surface = surfaceOf(Object.fromEntries(entries))
  if (process.env['UPDATE'] === '1') writeFileSync(REPORT, surface)
  t.equal(readFileSync(REPORT, 'utf8'), surface)
})

t.test('each type that a declaration names is exported, or is not ours', async (t) => {
  const surface = surfaceOf(Object.fromEntries(entries))
  const known = new Set(
    [...surface.matchAll(/^(?:abstract )?(?:interface|type|class|function|const) (\w+)/gm)].map(
      ([, name]) => name,
    ),
  )
  const code = surface.replace(/'[^']*'|"[^"]*"|`[^`]*`/g, '')
  const named = new Set(
    [...code.matchAll(/(?:[:|&<[,(=]|extends|implements|=>) ?(?:readonly )?([A-Z]\w+)/g)].map(
      ([, n]) => n as string,
    ),
  )
  const missing = [...named].filter((name) => !known.has(name) && !FOREIGN.has(name)).sort()
  t.same(missing, [])
})

/** Names of the language and its platform, and types inside a valid spec, which is opaque. */
const FOREIGN = new Set(
  `ReadSpec VALIDATED AsyncIterableIterator AbortSignal Array AsyncDisposable
  AsyncGenerator AsyncIterable AsyncIterator Buffer Date Error ErrorOptions Exclude Extract Iterable
  IteratorResult IteratorReturnResult Map NodeJS Omit Partial Pick Promise Socket Readonly
  ReadonlyMap ReadonlyArray ReadonlySet Record Set Symbol Uint8Array`.split(/\s+/),
)
