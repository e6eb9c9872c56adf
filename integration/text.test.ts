// Each case's ruleset as text and as JSON → the same table, on every nft.
import fc from 'fast-check'
import t from 'tap'
import { buildAutomaton } from '../lib/automaton/build.js'
import { renderKnock } from '../lib/knock.js'
import type { NftDocument } from '../lib/nft/document.js'
import { renderRuleset } from '../lib/nft/render.js'
import { renderText } from '../lib/nft/text.js'
import { renderUninstall } from '../lib/nft/transaction.js'
import { validateSpec } from '../lib/spec/validate.js'
import type { Scale } from './arbitrary-knock.js'
import { spec as arbitrarySpec } from './arbitrary-spec.js'
import { isKnownTo, readCases } from './case-files.js'
import { apply, createPair, listTable } from './namespaces.js'
import { versionsOrSkip } from './nft-versions.js'

const { versions, skip } = await versionsOrSkip()

/** How many random specs each nft is given. */
const RUNS = Number(process.env['RUNS'] ?? 15)

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

/** Loads a document as JSON and then as text, and lists the table after each. */
async function listings(namespace: string, document: NftDocument, table: string, nft: string) {
  await apply(namespace, document, nft)
  const byJson = await listTable(namespace, table, nft)
  // The text makes the table anew: what JSON has made is gone.
  await apply(namespace, renderText(document), nft)
  const byText = await listTable(namespace, table, nft)
  await apply(namespace, renderUninstall(table), nft)
  return { byJson: normalise(byJson ?? []), byText: normalise(byText ?? []) }
}

t.test('text and JSON make the same table', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const { name, spec } of readCases()) {
      if (!isKnownTo(version, validateSpec(spec))) continue
      const table = spec.table ?? 'knock'
      const { byJson, byText } = await listings(pair.server, renderKnock(spec), table, path)
      t.not(byJson.length, 0)
      t.strictSame(byText, byJson, `${name}, nft ${version}`)
    }
  }
})

const SCALE: Scale = {
  stepTimeout: [1, 5, 3600],
  timeout: [2, 86400],
  open: [1, 31536000],
  pace: [
    [0, 1],
    [60, 86400],
  ],
  window: [2, 3600],
  penalty: [1, 86400],
  ban: [1, 31536000],
  every: 600,
  period: [10, 3600],
}

t.test('so do they for any spec', { skip }, async (t) => {
  const samples = fc.sample(arbitrarySpec({ scale: SCALE }), { numRuns: RUNS, seed: 20 })
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const spec of samples.filter((spec) => isKnownTo(version, spec))) {
      const document = renderRuleset(buildAutomaton(spec))
      const { byJson, byText } = await listings(pair.server, document, spec.table, path)
      t.strictSame(byText, byJson, `nft ${version}: ${JSON.stringify(spec)}`)
    }
  }
})

t.test('text loads where no table is', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const { spec, name } of readCases().slice(0, 3)) {
      const table = spec.table ?? 'knock'
      await apply(pair.server, renderText(renderKnock(spec)), path)
      t.ok(await listTable(pair.server, table, path), `${name}, nft ${version}`)
      await apply(pair.server, renderUninstall(table), path)
    }
  }
})
