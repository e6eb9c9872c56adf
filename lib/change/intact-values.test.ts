// Each value that somebody may change in a table by hand → the change is found.
import t from 'tap'
import {
  DOCUMENT,
  find,
  type Json,
  type Listed,
  leaveBehind,
  listTable,
} from '../../integration/fixtures/altered.js'
import { isIntact } from './intact.js'

const remove = (objects: Listed[], kind: string) =>
  objects.splice(
    objects.findIndex((object) => kind in object),
    1,
  )

const dropIn = (objects: Listed[], chain: string) =>
  objects.filter(({ rule }) => rule?.chain === chain).at(-1)?.rule?.expr

/** What is in all statements of a kind. */
const statements = (objects: Listed[], kind: string) =>
  objects.flatMap(({ rule }) =>
    (rule?.expr ?? []).flatMap((one) =>
      kind in one ? [one[kind] as { [key: string]: Json }] : [],
    ),
  )

/** What it is called depends on what it holds. */
const PORTS = String(
  DOCUMENT.nftables.flatMap((command) =>
    'add' in command && 'map' in command.add ? [command.add.map.name] : [],
  )[0],
)

const CHANGES: Readonly<Record<string, (objects: Listed[]) => unknown>> = {
  'a dormant table': (objects) => {
    for (const { table } of objects) if (table) table['flags'] = ['dormant']
  },
  'the base chain at another priority': (objects) => {
    find(objects, 'chain', 'ingress')['prio'] = 300
  },
  'the base chain at another hook': (objects) => {
    find(objects, 'chain', 'ingress')['hook'] = 'egress'
  },
  'the base chain at another device': (objects) => {
    find(objects, 'chain', 'ingress')['dev'] = 'eth1'
  },
  'another mark': (objects) => {
    for (const mark of statements(objects, 'mangle')) mark['value'] = 8
  },
  'an invalid claim': (objects) => {
    for (const statement of statements(objects, 'set')) delete statement['stmt']
  },
  'a set of tokens of another type': (objects) => {
    find(objects, 'set', 'tokens1_vpn_0')['type'] = 'mark'
  },
  'a missing chain': (objects) => remove(objects, 'chain'),
  'a missing rule': (objects) => remove(objects, 'rule'),
  'a missing set': (objects) => remove(objects, 'set'),
  'a missing counter': (objects) => remove(objects, 'counter'),
  'a missing map': (objects) => remove(objects, 'map'),
  'an additional chain': (objects) => objects.push({ chain: { name: 'theirs' } }),
  'an additional rule': (objects) =>
    objects.push({ rule: { chain: 'gate_ssh', comment: 'x', expr: [{ accept: null }] } }),
  'accept instead of drop, with the same comment': (objects) =>
    dropIn(objects, 'gate_ssh')?.splice(-1, 1, { accept: null }),
  'a missing match': (objects) => dropIn(objects, 'knock_tcp')?.splice(0, 1),
  'an additional trusted block': (objects) =>
    find(objects, 'set', 'trusted_4').elem?.push('10.0.0.1'),
  'an additional map': (objects) => objects.push({ map: { name: 'theirs' } }),
  'an additional map, and a chain to which it leads': (objects) => {
    const entry = [{ concat: ['tcp', 1] }, { jump: { target: 'theirs' } }]
    objects.push({ chain: { name: 'theirs' } }, { map: { name: 'theirs', elem: [entry] } })
  },
  'a chain that was left behind, with a rule': (objects) => {
    leaveBehind(objects)
    objects.push({ rule: { chain: 'gate_old', comment: 'x', expr: [{ accept: null }] } })
  },
  'a rule that looks up a map that was left behind': (objects) => {
    leaveBehind(objects)
    const look = { vmap: { key: 1, data: '@ports_0123abcd' } }
    objects.push({ rule: { chain: 'ingress', comment: 'x', expr: [look] } })
  },
  'a missing entry of a map': (objects) => find(objects, 'map', PORTS).elem?.pop(),
  'an entry of a map that leads elsewhere': (objects) => {
    const [entry] = find(objects, 'map', PORTS).elem as [Json[]]
    entry[1] = { accept: null }
  },
  'a timeout changed': (objects) => {
    find(objects, 'set', 'stage1_ssh_4')['timeout'] = 9999
  },
}

/** Each place of a value that is neither a list nor an object. */
function leavesOf(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (Array.isArray(value)) return value.flatMap((part, index) => leavesOf(part, [...path, index]))
  if (typeof value !== 'object' || value === null) return [[...path]]
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...path, key]))
}

/** Another value of its kind in the same place. */
function changeLeaf(objects: readonly Listed[], path: readonly (string | number)[]): void {
  type Holder = { [key: string]: Json | Holder }
  const holder = path
    .slice(0, -1)
    .reduce((part, key) => part[key] as Holder, objects as unknown as Holder)
  const last = path.at(-1) as string
  const before = holder[last]
  if (typeof before === 'number') holder[last] = before + 1
  else if (before === null) holder['other'] = null
  else if (before === '==') holder[last] = '!='
  else if (before === '!=') holder[last] = '=='
  else holder[last] = `${before}x`
}

/** What changes without a hand, or is not what a packet meets. */
const FREE = new RegExp(
  String.raw`^\d+ (metainfo|table name|counter (packets|bytes|family|table)|` +
    String.raw`\w+ (family|table)( |$)|set elem \d+ elem comment|set timeout)`,
)

for (const [name, change] of Object.entries(CHANGES)) {
  t.test(`a table with a change is not intact: ${name}`, async (t) => {
    const objects = listTable()
    change(objects)
    t.notOk(isIntact({ nftables: objects }, DOCUMENT))
  })
}

t.test('each value of each rule, set, map and chain is compared', async (t) => {
  const objects = listTable()
  const seen = new Set<string>()
  const leaves = leavesOf(objects).filter((path) => {
    // A statement that is the same as another in another rule says nothing new.
    const [at = 0, kind = '', part = '', place = 0] = path as [number, string, string, number]
    if (kind !== 'rule' || part !== 'expr') return true
    const key = `${JSON.stringify(objects[at]?.rule?.expr?.[place])} ${path.slice(4).join(' ')}`
    return !seen.has(key) && seen.add(key)
  })
  const missed = leaves.filter((path) => {
    const changed = [...objects]
    changed[path[0] as number] = structuredClone(objects[path[0] as number] as Listed)
    changeLeaf(changed, path)
    return isIntact({ nftables: changed }, DOCUMENT) && !FREE.test(path.join(' '))
  })
  t.strictSame(
    missed.map((path) => path.join(' ')),
    [],
  )
  t.ok(leaves.length > 300, `${leaves.length} values`)
})

t.test('the order of the rules of a chain is compared', async (t) => {
  const objects = listTable()
  const rules = objects.flatMap(({ rule }, index) => (rule ? [index] : []))
  for (const [place, index] of rules.entries()) {
    const next = rules[place + 1]
    if (next === undefined || objects[next]?.rule?.chain !== objects[index]?.rule?.chain) continue
    const changed = [...objects]
    ;[changed[index], changed[next]] = [objects[next] as Listed, objects[index] as Listed]
    t.notOk(isIntact({ nftables: changed }, DOCUMENT))
  }
})
