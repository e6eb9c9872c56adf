// Doors that share sets and maps: the same table by JSON and by nft's own language, what each nft
// lists of it, and what nft 1.0 says of a script.
import t from 'tap'
import { buildAutomaton } from '../../lib/automaton/build.js'
import { isIntact } from '../../lib/change/intact.js'
import { createNft, type Nft, type NftDocument, NftError } from '../../lib/index.js'
import type { NftCommand, NftStatement } from '../../lib/nft/document.js'
import { renderRuleset } from '../../lib/nft/render/render.js'
import { renderText } from '../../lib/nft/render/text.js'
import { renderKeepingText } from '../../lib/nft/render/text-keeping.js'
import { formatTransaction } from '../../lib/nft/text/transaction.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { apply, createPair, listTable } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'

const { versions, skip } = await versionsOrSkip()

const sequence = (...steps: string[]) => ({ type: 'sequence', steps, stepTimeout: '90s' })
const SPEC = {
  table: 'shared',
  guard: { ban: { after: 3, within: '1m', for: '1h' }, trusted: ['10.1.0.0/16'] },
  log: { group: 7 },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: [sequence('tcp/7123', 'udp/7001', 'tcp/7002'), sequence('tcp/7003')],
      close: sequence('tcp/7004', 'tcp/7005'),
      open: { for: '2h' },
    },
    { name: 'web', service: 'udp/443', knock: sequence('tcp/7100', 'udp/7101'), open: { for: 30 } },
  ],
}
/** The document of two doors, which share although they are few. */
const DOCUMENT = renderRuleset(buildAutomaton(validateSpec(SPEC), 1))
const here = { family: 'inet', table: 'shared' } as const

type Entry = Readonly<Record<string, unknown>>

/** The seconds that remain go on, and handles are new. */
const lasting = (key: string, value: unknown) =>
  key === 'handle' || key === 'expires' ? undefined : value

/** Returns what of a listing stays the same. Elements and objects have no order, rules have. */
function comparable(listing: readonly Entry[] = []): string[] {
  const chainOf = ({ rule }: Entry) => String((rule as Entry)['chain'])
  const rules = listing.filter((entry) => 'rule' in entry)
  const others = listing.filter((entry) => !('rule' in entry))
  const textOf = (entry: Entry) =>
    JSON.stringify(entry, (key, value) => {
      const isElements = key === 'elem' && Array.isArray(value)
      return isElements
        ? value.map((one) => JSON.stringify(one, lasting)).sort()
        : lasting(key, value)
    })
  rules.sort((a, b) => chainOf(a).localeCompare(chainOf(b)))
  return [...others.map(textOf).sort(), ...rules.map(textOf)]
}

const added = (name: string, ...elem: unknown[]): NftCommand => ({
  add: { element: { ...here, name, elem: elem as string[] } },
})
const gone = (name: string, ...elem: unknown[]): NftCommand => ({
  delete: { element: { ...here, name, elem: elem as string[] } },
})

/** A transaction with each kind of command that a change can have. */
const CHANGE: NftDocument = {
  nftables: [
    { flush: { chain: { ...here, name: 'stray' } } },
    { flush: { map: { ...here, name: 'moves' } } },
    { flush: { set: { ...here, name: 'banned_4' } } },
    gone('knocked', [{ elem: { val: { concat: [6, 7123] }, comment: 'ssh open 1/3' } }, marked()]),
    added('banned_4', { elem: { val: '192.0.2.7', timeout: 1000, expires: 900 } }),
    added('banned_6', '2001:db8::7'),
    added('admitted_tcp_4', { elem: { val: { concat: ['192.0.2.7', 22] }, timeout: 1000 } }),
    { add: { counter: { ...here, name: 'taken_over', packets: 70, bytes: 0 } } },
    { add: { set: { ...here, name: 'serial', type: 'mark', elem: [7] } } },
    { delete: { counter: { ...here, name: 'extra' } } },
    { delete: { chain: { ...here, name: 'extra' } } },
    { delete: { set: { ...here, name: 'extra' } } },
    { delete: { map: { ...here, name: 'extra_map' } } },
    ruleOf('stray', { drop: null }),
  ],
}

/** The mark of the first knock. */
function marked(): number {
  const text = /\{"concat":\[6,7123\]\},"comment":"ssh open 1\/3"\}\},(\d+)\]/.exec(
    JSON.stringify(DOCUMENT),
  )?.[1]
  return Number(text)
}

function ruleOf(chain: string, ...expr: NftStatement[]): NftCommand {
  return { add: { rule: { ...here, chain, comment: 'added', expr } } }
}

const EXTRA: NftCommand[] = [
  { add: { counter: { ...here, name: 'extra' } } },
  { add: { chain: { ...here, name: 'extra' } } },
  { add: { set: { ...here, name: 'extra', type: 'mark' } } },
  { add: { map: { ...here, name: 'extra_map', type: 'mark', map: 'inet_service' } } },
]

t.test('JSON and text make the same table, and change it in the same way', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    const made: string[][] = []
    const changed: string[][] = []
    const isOld = version.startsWith('1.0.')
    const look = async () => comparable(await listTable(pair.server, 'shared', path))
    const forms: readonly ((document: NftDocument) => string | object)[] = [
      ...(isOld ? [] : [(document: NftDocument) => document]),
      formatTransaction,
    ]
    for (const form of forms) {
      await apply(pair.server, form(DOCUMENT), path)
      made.push(await look())
      await apply(pair.server, form({ nftables: EXTRA }), path)
      await apply(pair.server, form(CHANGE), path)
      changed.push(await look())
    }
    for (const text of [renderText(DOCUMENT), renderKeepingText(DOCUMENT)]) {
      await apply(pair.server, text, path)
      made.push((await look()).filter((text) => !text.includes('"name":"serial"')))
    }
    for (const other of made) t.strictSame(other, made[0], `nft ${version}: made`)
    for (const other of changed) t.strictSame(other, changed[0], `nft ${version}: changed`)
    t.match(changed[0]?.join(' '), /"taken_over"[^}]*"packets":70\b/, `nft ${version}: a count`)
    t.match(changed[0]?.join(' '), /timeout\W+1000/, `nft ${version}: elements have their times`)
  }
})

/** Changes the first statement that a pattern finds in the document. */
function altered(pattern: RegExp, by: string): NftDocument {
  const text = JSON.stringify(DOCUMENT)
  const other = text.replace(pattern, by)
  if (other === text) throw new Error(`nothing to alter: ${pattern}`)
  return JSON.parse(other) as NftDocument
}

const ALTERED: Readonly<Record<string, NftDocument>> = {
  'a map statement with another time': altered(/("timeout":)90(\}\},"data":)/, '$191$2'),
  'another operation on a map': altered(/"map":\{"op":"delete"/, '"map":{"op":"update"'),
  'another map': altered(/"map":"@started_4"/, '"map":"@advanced_4"'),
  'another look-up': altered(/"data":"@knocked"/, '"data":"@served"'),
  'another stage': altered(/(\{"\|":\[\{"&":\[[^\]]*\]\},)1\]/, '$12]'),
  'another mask': altered(
    /\{"\|":\[\{"&":\[\{"meta":\{"key":"mark"\}\},4294967232/,
    '{"|":[{"&":[{"meta":{"key":"mark"}},4294967168',
  ),
  'another mark': altered(/(\{"concat":\[6,7123\]\},"comment":"ssh open 1\/3"\}\},)\d+/, '$164'),
  'another comment': altered(/"ssh open 1\/3"/, '"ssh open 2/3"'),
  'another port of a service': altered(/(\[\[\d+,)22\]/, '$123]'),
  'a set that does not count': altered(/,"stmt":\[\{"counter":null\}\]/, ''),
  'another size of a map': altered(/("name":"started_4".*?"size":)\d+/, '$177'),
}

t.test('the listing equals what was written', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    const nft = createNft({ binary: path, netns: pair.server })
    await nft.check(DOCUMENT)
    await nft.apply(DOCUMENT)
    const listing = await nft.list({ table: 'shared' })
    t.ok(isIntact(listing, DOCUMENT), `nft ${version}`)
    await nft.apply({ nftables: [added('started_4', ['192.0.2.7', 65])] })
    t.ok(
      isIntact(await nft.list({ table: 'shared' }), DOCUMENT),
      `nft ${version}: with an attempt under way`,
    )
    for (const [name, document] of Object.entries(ALTERED)) {
      t.notOk(isIntact(listing, document), `nft ${version}: ${name}`)
    }
  }
})

async function failureOf(nft: Nft, ...nftables: NftCommand[]): Promise<NftError> {
  const forget = DOCUMENT.nftables.find((command) =>
    JSON.stringify(command).includes('"map":{"op"'),
  )
  try {
    await nft.apply({ nftables: [...nftables, forget as NftCommand] })
  } catch (error) {
    if (error instanceof NftError) return error
    throw error
  }
  throw new Error('expected an NftError, got success')
}

t.test('failures have different codes, and no secret', { skip }, async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    const nft = createNft({ binary: path, netns: pair.server })
    const name = `nft ${version}`
    const absent = await failureOf(nft, gone('banned_4', '192.0.2.7'))
    t.match(
      absent,
      { code: 'not-found', message: /: not there$/ },
      `${name}: a missing table is reported`,
    )
    await nft.apply(DOCUMENT)
    const there = await failureOf(nft, { create: { table: { family: 'inet', name: 'shared' } } })
    t.equal(there.code, 'already-exists', name)
    const part = await failureOf(nft, gone('knocked', [{ concat: [6, 7124] }, 64]))
    t.equal(part.code, 'not-found', name)
    t.notMatch(
      `${part.message} ${part.stderr}`,
      /7124/,
      `${name}: the message does not have the secret port`,
    )
    const left = { payload: { protocol: 'tcp', field: 'nosuch' } }
    const wrong = await failureOf(nft, ruleOf('stray', { match: { op: '==', left, right: 7124 } }))
    t.match(wrong, { code: 'rejected', origin: 'added' }, name)
    t.notMatch(
      `${wrong.message} ${wrong.stderr}`,
      /7124/,
      `${name}: the message does not have the secret port`,
    )
    t.ok(isIntact(await nft.list({ table: 'shared' }), DOCUMENT), `${name}: nothing has changed`)
  }
})
