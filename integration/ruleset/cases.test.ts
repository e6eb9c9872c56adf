// Each case's spec → its ruleset, its listing and its packets' verdicts, as in the golden files.
// UPDATE=1 writes rulesets and listings again, but never verdicts.
import { createHash } from 'node:crypto'
import t from 'tap'
import { renderKnock } from '../../lib/api/render.js'
import { isIntact } from '../../lib/change/intact.js'
import { type SimulatedEvent, simulateKnock } from '../../lib/simulate/simulation.js'
import type { KnockSpec } from '../../lib/spec/generated/knock-types.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { apply, createPair, exec } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { golden, isKnownTo, readCases, secretsOf } from '../traces/case-files.js'
import { apart, listAll, together } from './many-tables.js'

const { versions, skip } = await versionsOrSkip()

/** The version of nft that wrote the listings; others list differently. */
const LISTED_BY = '1.1.3'

/** A ruleset with more characters is stored as its hash. */
const LONGEST = 140_000

const cases = readCases()

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Returns the text, or its hash if it is long. */
function toKeep(text: string): string {
  if (text.length <= LONGEST) return text
  const hash = createHash('sha256').update(text).digest('hex')
  return `${text.length} characters, SHA-256 ${hash}\n`
}

t.test('the simulator has the verdicts and events of each case', async (t) => {
  for (const { name, spec, packets, events } of cases) {
    const secrets = secretsOf(validateSpec(spec))
    const played = simulateKnock(spec, packets, { secrets })
    t.strictSame(played.packets, packets, name)
    if (events) t.strictSame(played.events.map(textOf), events, `${name}: events`)
  }
})

function textOf({ packet, event, door, attempt, stage, of, user, by }: SimulatedEvent): string {
  const place = stage === undefined ? undefined : `${stage}/${of}`
  return [packet, event, door, attempt, place, user, by]
    .filter((word) => word !== undefined)
    .join(' ')
}

t.test('the ruleset of each case is the golden one', async (t) => {
  for (const { name, spec } of cases) {
    const text = toKeep(pretty(renderKnock(spec)))
    const file = text.startsWith('{') ? 'ruleset.json' : 'ruleset.digest'
    t.equal(text, golden(name, file, text), `${name}/${file}`)
  }
})

t.test('the same spec gives the same bytes', async (t) => {
  for (const { name, spec } of cases) {
    const text = pretty(renderKnock(spec))
    t.equal(
      pretty(renderKnock(structuredClone(spec))),
      text,
      `${name}: a second rendering is equal`,
    )
    t.equal(
      pretty(renderKnock(backwards(spec) as KnockSpec)),
      text,
      `${name}: the order of keys does not matter`,
    )
  }
})

/** Reverses the keys of every object; lists keep their order. */
function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([key, part]) => [key, backwards(part)]))
}

t.test('the listing of each case is the golden one', { skip }, async (t) => {
  const nft = versions.find(({ version }) => version === LISTED_BY)
  if (!nft) throw new Error(`no nft ${LISTED_BY}`)
  await using pair = await createPair()
  for (const { name, spec } of cases) {
    await apply(pair.server, renderKnock(spec), nft.path)
    const table = ['inet', spec.table ?? 'knock']
    const listed = await exec(pair.server, nft.path, ['-s', 'list', 'table', ...table])
    t.equal(listed.stderr, '')
    const text = toKeep(listed.stdout)
    const file = text.startsWith('table') ? 'listing.nft' : 'listing.digest'
    t.equal(text, golden(name, file, text), `${name}/${file}`)
    await exec(pair.server, nft.path, ['delete', 'table', ...table])
  }
})

t.test('a new table is intact in the listing of each nft', { skip }, async (t) => {
  const specs = apart(cases.map(({ spec }) => spec))
  for (const { version, path } of versions) {
    await using pair = await createPair()
    // nft 1.0.6 does not know sets of tokens.
    const known = specs.filter((spec) => isKnownTo(version, validateSpec(spec)))
    t.equal(known.length === specs.length, version !== '1.0.6', `nft ${version} knows all`)
    await apply(pair.server, together(known.map((spec) => renderKnock(spec))), path)
    const listed = await listAll(pair.server, path)
    for (const spec of known) {
      const listing = { nftables: listed.get(spec.table) }
      t.ok(isIntact(listing, renderKnock(spec)), `${spec.table}, nft ${version}`)
    }
  }
})
