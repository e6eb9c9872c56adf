// The schema of nft's JSON, held against all that is rendered and what three versions of nft list of it.
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'
import { renderKnock } from '../lib/knock.js'
import { renderClose, renderOpen, renderUninstall } from '../lib/nft/transaction.js'
import { parseAddress } from '../lib/spec/address.js'
import { readCases } from './case-files.js'
import { apply, createPair, listTable } from './namespaces.js'
import { versionsOrSkip } from './nft-versions.js'

const { versions, skip } = await versionsOrSkip()

const schema = new URL('../schemas/nft-ruleset.schema.json', import.meta.url)
const validate = new Ajv({ strict: true, allErrors: true }).compile(
  JSON.parse(readFileSync(schema, 'utf8')),
)

/** What the schema has against a document; the first few of it. */
function complaints(document: unknown): string[] {
  if (validate(document)) return []
  return (validate.errors ?? [])
    .slice(0, 5)
    .map(({ instancePath, message }) => `${instancePath}: ${message}`)
}

const change = (source: string) => {
  const address = parseAddress(source)
  if (!address) throw new Error(source)
  return { table: 'knock', source: address, grants: 'grants_ssh', used: ['used1_ssh'] }
}

t.test('what is rendered', async (t) => {
  for (const { name, spec } of readCases()) t.strictSame(complaints(renderKnock(spec)), [], name)
  t.strictSame(complaints(renderOpen(change('10.99.0.2'), 600)), [], 'open')
  t.strictSame(complaints(renderOpen(change('fd00:99::2'), 1)), [], 'open, IPv6')
  t.strictSame(complaints(renderClose(change('10.99.0.2'))), [], 'close')
  t.strictSame(complaints(renderUninstall('knock')), [], 'uninstall')
})

const rule = (...expr: unknown[]) => ({
  add: { rule: { family: 'inet', table: 't', chain: 'c', comment: 'x', expr } },
})
const match = (left: unknown, right: unknown) => rule({ match: { op: '==', left, right } })
const set = (parts: object) => ({
  add: { set: { family: 'inet', table: 't', name: 's', type: 'ipv4_addr', ...parts } },
})

t.test('what nft would take for something else', async (t) => {
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

t.test('what is listed', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const { name, spec } of readCases()) {
      const table = spec.table ?? 'knock'
      const document = renderKnock(spec)
      const first = spec.doors[0]?.name
      await apply(pair.server, document, path)
      for (const source of ['10.99.0.2', 'fd00:99::2']) {
        const parts = { ...change(source), table, grants: `grants_${first}`, used: [] }
        await apply(pair.server, renderOpen(parts, 600), path)
      }
      const nftables = await listTable(pair.server, table, path)
      t.match(JSON.stringify(nftables), /"expires":/, 'elements are listed with their times')
      t.strictSame(complaints({ nftables }), [], `${name}, nft ${version}`)
      await apply(pair.server, renderUninstall(table), path)
    }
  }
})
