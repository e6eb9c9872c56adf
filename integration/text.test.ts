// Each case's ruleset as text and as JSON → the same table, on every nft.
import t from 'tap'
import { renderKnock } from '../lib/knock.js'
import { renderText } from '../lib/nft/text.js'
import { readCases } from './case-files.js'
import { apply, createPair, exec, listTable } from './namespaces.js'
import { versionsOrSkip } from './nft-versions.js'

const { versions, skip } = await versionsOrSkip()

type Entry = Readonly<Record<string, unknown>>

/** A listing without what differs from one load to the next; rules stay in the order of their chain. */
function normalise(listing: readonly Entry[]): string[] {
  const entries = listing.filter((entry) => !('metainfo' in entry)).map(withoutHandles)
  const rules = entries.filter((entry) => 'rule' in entry)
  const others = entries.filter((entry) => !('rule' in entry))
  const chainOf = (entry: Entry) => String((entry['rule'] as Entry)['chain'])
  rules.sort((a, b) => (chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0))
  return [
    ...others.map((entry) => JSON.stringify(entry)).sort(),
    ...rules.map((entry) => JSON.stringify(entry)),
  ]
}

function withoutHandles(entry: Entry): Entry {
  return JSON.parse(JSON.stringify(entry), (key, value) => {
    if (key === 'handle') return undefined
    // Sets are kept in no order.
    return key === 'elem' && Array.isArray(value)
      ? value.map((v) => JSON.stringify(v)).sort()
      : value
  })
}

t.test('text and JSON make the same table', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const { name, spec } of readCases()) {
      const table = spec.table ?? 'knock'
      const document = renderKnock(spec)
      await apply(pair.server, document, path)
      const byJson = await listTable(pair.server, table, path)
      // The text makes the table anew: what JSON has made is gone.
      await apply(pair.server, renderText(document), path)
      const byText = await listTable(pair.server, table, path)
      t.strictSame(normalise(byText ?? []), normalise(byJson ?? []), `${name}, nft ${version}`)
      const { code } = await exec(pair.server, path, ['delete', 'table', 'inet', table])
      t.equal(code, 0)
    }
  }
})

t.test('text loads where no table is', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const { spec, name } of readCases()) {
      await apply(pair.server, renderText(renderKnock(spec)), path)
      const listing = await listTable(pair.server, spec.table ?? 'knock', path)
      t.ok(listing, `${name}, nft ${version}`)
    }
  }
})
