// Each case's ruleset as text and as JSON → the same table, on every nft.
import fc from 'fast-check'
import t, { type Test as Tap } from 'tap'
import { renderKnock } from '../../lib/api/render.js'
import { buildAutomaton } from '../../lib/automaton/build.js'
import { aboutComments, digestOf } from '../../lib/nft/about.js'
import type { NftDocument } from '../../lib/nft/document.js'
import { parseListing } from '../../lib/nft/listing.js'
import { renderRuleset } from '../../lib/nft/render/render.js'
import { renderText } from '../../lib/nft/render/text.js'
import { renderKeepingText } from '../../lib/nft/render/text-keeping.js'
import { renderUninstall } from '../../lib/nft/transaction.js'
import type { DoorSpec, KnockSpec } from '../../lib/spec/generated/knock-types.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { apply, createPair, listTable } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import type { Scale } from '../random/arbitrary-knock.js'
import { sharing } from '../random/arbitrary-shared.js'
import { spec as arbitrarySpec } from '../random/arbitrary-spec.js'
import { isKnownTo, readCases } from '../traces/case-files.js'

const { versions, skip } = await versionsOrSkip()

/** The random specs for each nft. */
const RUNS = Number(process.env['RUNS'] ?? 15)

type Entry = Readonly<Record<string, unknown>>

/**
 * Removes from a listing what differs between two loads. Rules keep their order in the chain.
 */
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
    // Sets have no order.
    return key === 'elem' && Array.isArray(value)
      ? value.map((v) => JSON.stringify(v)).sort()
      : value
  })
}

/** Loads a document as JSON and as text of both kinds, and lists the table after each. */
async function listings(namespace: string, document: NftDocument, table: string, nft: string) {
  await apply(namespace, document, nft)
  const byJson = await listTable(namespace, table, nft)
  // The text deletes the table that JSON has made, and makes a new one.
  await apply(namespace, renderText(document), nft)
  const byText = await listTable(namespace, table, nft)
  await apply(namespace, renderKeepingText(document), nft)
  const overText = await listTable(namespace, table, nft)
  // Sets made by JSON have flags that nft added.
  await apply(namespace, document, nft)
  await apply(namespace, renderKeepingText(document), nft)
  const overJson = await listTable(namespace, table, nft)
  await apply(namespace, renderUninstall(table), nft)
  const keeping = [overText, overJson].map((listing) => normalise(listing ?? []))
  return { byJson: normalise(byJson ?? []), byText: normalise(byText ?? []), keeping }
}

t.test('text and JSON make the same table', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const { name, spec } of readCases()) {
      if (!isKnownTo(version, validateSpec(spec))) continue
      const table = spec.table ?? 'knock'
      const listed = await listings(pair.server, renderKnock(spec), table, path)
      t.not(listed.byJson.length, 0)
      for (const text of [listed.byText, ...listed.keeping]) {
        t.strictSame(text, listed.byJson, `${name}, nft ${version}`)
      }
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
  horizon: '3h',
}

t.test('text and JSON make the same table for any spec', { skip }, async (t) => {
  const samples = fc.sample(arbitrarySpec({ scale: SCALE }), { numRuns: RUNS, seed: 20 })
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const spec of samples.filter((spec) => isKnownTo(version, spec))) {
      const document = renderRuleset(buildAutomaton(spec))
      const { byJson, byText, keeping } = await listings(pair.server, document, spec.table, path)
      for (const text of [byText, ...keeping]) {
        t.strictSame(text, byJson, `nft ${version}: ${JSON.stringify(spec)}`)
      }
    }
  }
})

t.test('text and JSON make the same table for doors that share sets', { skip }, async (t) => {
  const samples = fc.sample(sharing(SCALE, ['input']), { numRuns: RUNS, seed: 21 })
  // nft 1.0 is given such doors only as text.
  for (const { version, path } of versions.filter(({ version }) => !version.startsWith('1.0.'))) {
    await using pair = await createPair()
    for (const spec of samples.filter((spec) => isKnownTo(version, spec))) {
      const document = renderRuleset(buildAutomaton(spec, 1))
      const { byJson, byText, keeping } = await listings(pair.server, document, spec.table, path)
      for (const text of [byText, ...keeping]) {
        t.strictSame(text, byJson, `nft ${version}: ${JSON.stringify(spec)}`)
      }
    }
  }
})

t.test('text loads without an earlier table', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const { spec, name } of readCases().slice(0, 3)) {
      const table = spec.table ?? 'knock'
      for (const render of [renderText, renderKeepingText]) {
        await apply(pair.server, render(renderKnock(spec)), path)
        t.ok(await listTable(pair.server, table, path), `${name}, nft ${version}`)
        await apply(pair.server, renderUninstall(table), path)
      }
    }
  }
})

const SSH: DoorSpec = {
  name: 'ssh',
  service: 'tcp/22',
  knock: { type: 'sequence', steps: ['tcp/7000', 'tcp/8000'], stepTimeout: '60s' },
  open: { for: '1h' },
}
const WEB: DoorSpec = {
  name: 'web',
  service: 'tcp/443',
  knock: { type: 'sequence', steps: ['udp/5000', 'udp/6000'] },
  open: { for: '1h' },
}
const GUARD = { ban: { after: 3, within: '1m', for: '1h' } }
const KEEPING: KnockSpec = {
  table: 'keeping',
  guard: { ...GUARD, trusted: ['192.0.2.1'] },
  doors: [SSH, WEB],
}
/** A spec with one door less, another first step, another service and another trusted address. */
const EDITED: KnockSpec = {
  table: 'keeping',
  guard: { ...GUARD, trusted: ['192.0.2.2'] },
  doors: [
    {
      ...SSH,
      service: ['tcp/22', 'tcp/2222'],
      knock: { type: 'sequence', steps: ['tcp/7100', 'tcp/8000'], stepTimeout: '60s' },
    },
  ],
}

const USED: readonly string[] = ['grants_ssh_4', 'banned_4', 'grants_ssh_6']
const STAGE = 'stage1_ssh_4'

async function keepsContents(t: Tap, nft: string, server: string): Promise<void> {
  const table = 'keeping'
  const text = (spec: KnockSpec) => renderKeepingText(renderKnock(spec))
  const elementsOf = (listing: readonly Entry[], name: string): unknown[] =>
    listing.flatMap((entry) => {
      const set = (entry['set'] ?? {}) as Entry
      return set['name'] === name ? ((set['elem'] ?? []) as unknown[]) : []
    })
  const look = async () => (await listTable(server, table, nft)) ?? []
  const fill = [...USED, STAGE]
    .map((set) => {
      const address = set.endsWith('6') ? '2001:db8::7' : '192.0.2.7'
      return `add element inet ${table} ${set} { ${address} timeout 30m }`
    })
    .join('\n')
  await apply(server, text(KEEPING), nft)
  await apply(server, `${fill}\n`, nft)
  for (const [what, spec] of [
    ['itself', KEEPING],
    ['an edited spec', EDITED],
    ['and back', KEEPING],
  ] as const) {
    // A pending confirmation and its mark must go away with the old rules.
    const marks = `add set inet ${table} trial { type mark; flags timeout; }
      add set inet ${table} serial { type mark; elements = { 7 }; }`
    await apply(server, marks, nft)
    await apply(server, text(spec), nft)
    const listing = await look()
    for (const set of USED) t.equal(elementsOf(listing, set).length, 1, `${what}: ${set} stays`)
    t.strictSame(elementsOf(listing, STAGE), [], `${what}: a knock under way begins again`)
    t.strictSame(
      elementsOf(listing, 'trusted_4'),
      spec.guard?.trusted,
      `${what}: the trusted sources are new`,
    )
    const names = listing.flatMap((entry) =>
      Object.values(entry).map((part) => (part as Entry)['name']),
    )
    t.notOk(names.includes('trial') || names.includes('serial'), `${what}: no old marks are left`)
    const comments = aboutComments(parseListing({ nftables: listing }))
    t.equal(
      comments?.[0],
      `knocklib 4 ${digestOf(renderKnock(spec))}`,
      `${what}: the table has its own description`,
    )
    const own = new Set(buildAutomaton(validateSpec(spec)).chains.map(({ name }) => name))
    const beyond = listing.filter(({ rule }) => rule && !own.has(String((rule as Entry)['chain'])))
    t.strictSame(beyond, [], `${what}: chains of an older spec have no rules`)
    await apply(server, `add element inet ${table} ${STAGE} { 192.0.2.7 timeout 30m }`, nft)
  }
  const wrong = `delete table inet ${table}
    add table inet ${table}
    add set inet ${table} grants_ssh_4 { type ipv6_addr; flags timeout; }`
  await apply(server, wrong, nft)
  await t.rejects(
    apply(server, text(KEEPING), nft),
    /exists|datatype mismatch/,
    'a set of another type is refused',
  )
  t.equal((await look()).filter((entry) => 'chain' in entry).length, 0, 'nothing has changed')
}

t.test('text that keeps grants replaces a table', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await t.test(`nft ${version}`, async (t) => {
      await using pair = await createPair()
      await keepsContents(t, path, pair.server)
    })
  }
})
