// Everything that is rendered, and what three versions of nft list of it → valid by the schema of
// nft's JSON.
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { renderKnock } from '../../lib/api/render.js'
import { buildAutomaton } from '../../lib/automaton/build.js'
import { BANNED, grantsSet } from '../../lib/automaton/language/names.js'
import { loadsOf } from '../../lib/automaton/loads.js'
import { isIntact } from '../../lib/change/intact.js'
import { renderReload } from '../../lib/change/reload.js'
import { createNft } from '../../lib/index.js'
import type { NftCommand, NftDocument, NftObject } from '../../lib/nft/document.js'
import { renderLoads } from '../../lib/nft/render/loads.js'
import { renderRuleset } from '../../lib/nft/render/render.js'
import { renderClose, renderOpen, renderUnban, renderUninstall } from '../../lib/nft/transaction.js'
import type { KnockSpec } from '../../lib/spec/generated/knock-types.js'
import { parseAddress } from '../../lib/spec/model/address.js'
import type { Prefix } from '../../lib/spec/model/packet-model.js'
import { blockOf } from '../../lib/spec/model/prefix.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { apply, createPair } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { isKnownTo, readCases, secretsOf } from '../traces/case-files.js'
import { apart, listAll, together } from './many-tables.js'

const { versions, skip } = await versionsOrSkip()

const schema = new URL('../../schemas/nft-ruleset.schema.json', import.meta.url)
const validate = new Ajv({ strict: true, allErrors: true }).compile(
  JSON.parse(readFileSync(schema, 'utf8')),
)

/** Returns the first errors of a document by the schema. */
function complaints(document: unknown): string[] {
  if (validate(document)) return []
  return (validate.errors ?? [])
    .slice(0, 5)
    .map(({ instancePath, message }) => `${instancePath}: ${message}`)
}

const change = (source: string | undefined, table = 'knock', door = 'ssh', prefix?: Prefix) => {
  const address = parseAddress(source)
  const sources = [address && blockOf(address, prefix)]
  return { table, sources, grants: grantsSet(door), used: [], ...(prefix && { prefix }) }
}

/** Returns the tokens and ports that are loaded into a case's table. */
function loadsFor(spec: KnockSpec, now: number): NftDocument {
  const valid = validateSpec(spec)
  return { nftables: renderLoads(valid.table, loadsOf(valid, secretsOf(valid), now), now) }
}

const isSpent = (set: string): boolean => set.startsWith('spent')

/** Returns a command's object as a listing has it: counters with their counts. */
function asListed(command: NftCommand): NftObject[] {
  if (!('add' in command)) return []
  const { add } = command
  return 'counter' in add ? [{ counter: { ...add.counter, packets: 0, bytes: 0 } }] : [add]
}

t.test('rendered documents match the schema', async (t) => {
  for (const { name, spec } of readCases()) {
    const document = renderKnock(spec)
    t.strictSame(complaints(document), [], name)
    t.strictSame(complaints(loadsFor(spec, 1_800_000_000)), [], `${name}, loads`)
    const listing = { nftables: document.nftables.flatMap(asListed) }
    t.strictSame(complaints(renderReload(document, listing, isSpent)), [], `${name}, reload`)
  }
  t.strictSame(complaints(renderOpen(change('10.99.0.2'), 600)), [], 'open')
  t.strictSame(complaints(renderOpen(change('fd00:99::2'), 1)), [], 'open, IPv6')
  t.strictSame(complaints(renderOpen(change(undefined), 1)), [], 'open, everyone')
  t.strictSame(complaints(renderClose(change('10.99.0.2'))), [], 'close')
  const banned = parseAddress('10.99.0.2')
  if (banned) t.strictSame(complaints(renderUnban({ table: 'knock' }, banned, BANNED)), [], 'unban')
  t.strictSame(complaints(renderUninstall('knock')), [], 'uninstall')
})

/** Doors that share sets and maps. */
const SHARED = renderRuleset(
  buildAutomaton(
    validateSpec({
      log: { group: 7 },
      doors: [
        {
          name: 'ssh',
          service: 'tcp/22',
          knock: { type: 'sequence', steps: ['tcp/7000', 'udp/7001', 'tcp/7002'] },
          close: { type: 'sequence', steps: ['tcp/7003'] },
          open: { for: '30s' },
        },
      ],
    }),
    1,
  ),
)

t.test('shared doors and their listings match the schema', { skip }, async (t) => {
  t.strictSame(complaints(SHARED), [])
  for (const { version, path } of versions) {
    await using pair = await createPair()
    const nft = createNft({ binary: path, netns: pair.server })
    await nft.apply(SHARED)
    t.strictSame(complaints(await nft.list({ table: 'knock' })), [], `nft ${version}`)
  }
})

const rule = (...expr: unknown[]) => ({
  add: { rule: { family: 'inet', table: 't', chain: 'c', comment: 'x', expr } },
})
const MARK = { meta: { key: 'mark' } }
const match = (left: unknown, right: unknown) => rule({ match: { op: '==', left, right } })
const set = (parts: object) => ({
  add: { set: { family: 'inet', table: 't', name: 's', type: 'ipv4_addr', ...parts } },
})

t.test('the schema refuses documents that nft would read as something else', async (t) => {
  const wrong: Record<string, unknown> = {
    'half a second': set({ flags: ['timeout'], timeout: 0.5 }),
    'a timeout as text': set({ flags: ['timeout'], timeout: '5s' }),
    'no timeout at all': set({ flags: ['timeout'], timeout: 0 }),
    'an element for half a second': set({ elem: [{ elem: { val: '10.0.0.1', timeout: 0.5 } }] }),
    'an unknown key': set({ comment: 'lost' }),
    'an unknown family': { add: { table: { family: 'ip', name: 't' } } },
    'an unknown command': { replace: { table: { family: 'inet', name: 't' } } },
    'two commands in one': { add: { table: { family: 'inet', name: 't' } }, delete: {} },
    'a name with a blank': { add: { table: { family: 'inet', name: 'a b' } } },
    'a rule without statements': rule(),
    'an unknown statement': rule({ log: { prefix: 'x' } }),
    'an accept with something in it': rule({ accept: {} }),
    'a set without @': rule({ set: { op: 'add', elem: { meta: { key: 'l4proto' } }, set: 's' } }),
    'an unknown field': match({ payload: { protocol: 'ip', field: 'ttl' } }, 1),
    'a limit by itself': rule({ limit: { rate: 1, per: 'week', burst: 1 } }),
    'a mark of no number': rule({ mangle: { key: { meta: { key: 'mark' } }, value: '0x7' } }),
    'a mark of a map without @': rule({
      mangle: { key: { meta: { key: 'mark' } }, value: { map: { key: MARK, data: 'm' } } },
    }),
    'a map that remembers a port': rule({
      map: { op: 'add', elem: MARK, data: { meta: { key: 'l4proto' } }, map: '@m' },
    }),
    'a text that is no statement of a map': rule('accept'),
    'a reject that answers with ICMP': rule({ reject: { type: 'icmpx' } }),
    'a redirect to nowhere': rule({ redirect: {} }),
    'a redirect in a map': {
      add: {
        element: { family: 'inet', table: 't', name: 'm', elem: [[1, { redirect: { port: 1 } }]] },
      },
    },
    'a type by example of nothing': set({ type: { typeof: 'mark' } }),
    'a flush of an element': {
      flush: { element: { family: 'inet', table: 't', name: 's', elem: ['10.0.0.1'] } },
    },
    'a delete of a set with its type': {
      delete: { set: { family: 'inet', table: 't', name: 's', type: 'ipv4_addr' } },
    },
    'a base chain without a policy': {
      add: {
        chain: { family: 'inet', table: 't', name: 'c', type: 'filter', hook: 'input', prio: 0 },
      },
    },
  }
  for (const [name, command] of Object.entries(wrong)) {
    t.not(complaints({ nftables: [command] }).length, 0, name)
  }
})

t.test('listings match the schema, and the rendered documents', { skip }, async (t) => {
  const cases = readCases()
  const specs = apart(cases.map(({ spec }) => spec)).map((spec, index) => ({
    spec: validateSpec(spec),
    document: renderKnock(spec),
    loads: loadsFor(spec, Date.now() / 1000),
    name: cases[index]?.name,
  }))
  for (const { version, path } of versions) {
    await using pair = await createPair()
    const known = specs.filter(({ spec }) => isKnownTo(version, spec))
    const grants = known.flatMap(({ spec: { table, doors } }) =>
      doors.flatMap(({ name, open }) => {
        const sources = open.scope === 'everyone' ? [undefined] : ['10.99.0.2', 'fd00:99::2']
        return sources.map((source) => renderOpen(change(source, table, name, open.prefix), 600))
      }),
    )
    await apply(pair.server, together(known.map(({ document }) => document)), path)
    await apply(pair.server, together([...known.map(({ loads }) => loads), ...grants]), path)
    const listed = await listAll(pair.server, path)
    const objectsOf = (tables: typeof listed, table: string) => [...(tables.get(table) ?? [])]
    const reloads = known.map(({ spec: { table }, document }) =>
      renderReload(document, { nftables: objectsOf(listed, table) }, isSpent),
    )
    await apply(pair.server, together(reloads), path)
    const anew = await listAll(pair.server, path)
    for (const { spec, document, name } of known) {
      const nftables = objectsOf(listed, spec.table)
      t.match(JSON.stringify(nftables), /"expires":/, 'elements are listed with their times')
      t.strictSame(complaints({ nftables }), [], `${name}, nft ${version}`)
      t.ok(isIntact({ nftables }, document), `${name}, nft ${version}: intact`)
      const again = { nftables: objectsOf(anew, spec.table) }
      t.ok(isIntact(again, document), `${name}, nft ${version}: made anew`)
    }
  }
})
