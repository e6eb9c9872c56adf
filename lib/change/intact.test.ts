// A table's document, and listings of it that differ by one thing → whether that is noticed.
import t from 'tap'
import { renderKnock } from '../api/render.js'
import { canonicalText, isSameText } from '../nft/canonical.js'
import { isOfTags } from '../nft/tags.js'
import { isIntact } from './intact.js'

const DOCUMENT = renderKnock({
  hook: 'ingress',
  interfaces: ['eth0'],
  guard: { trusted: ['192.168.1.0/24'] },
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: { type: 'sequence', steps: ['tcp/7000', 'udp/8000'] },
      open: { for: '30s', mark: 7 },
    },
    {
      name: 'vpn',
      service: 'udp/1194',
      knock: {
        type: 'token',
        port: 'udp/7001',
        period: '30s',
        users: [{ name: 'ana', secretFile: '/etc/knock/ana' }],
      },
      open: { for: '30s' },
    },
    {
      name: 'web',
      service: 'tcp/443',
      knock: {
        type: 'sequence',
        rotate: { secretFile: '/etc/knock/web', every: '1h', steps: 2, ports: '20000-20999' },
      },
      open: { for: '30s' },
    },
  ],
})

// biome-ignore lint/suspicious/noExplicitAny: nft's JSON, taken apart at will
type Listed = Record<string, any>

/** What nft would list of the document. */
function listTable(): Listed[] {
  const objects: Listed[] = structuredClone(
    DOCUMENT.nftables.flatMap((command) =>
      'add' in command && !isOfTags(command) ? [command.add] : [],
    ),
  )
  const table = objects.findIndex((object) => 'table' in object)
  const own = objects.filter((object, index) => !('table' in object) || index === table)
  for (const object of own) {
    const map = object['element'] && own.find(({ map }) => map?.name === object['element'].name)
    // Names for numbers, and another order.
    if (map)
      map['map'].elem = JSON.parse(
        JSON.stringify(object['element'].elem).replaceAll('[6,', '["tcp",'),
      ).reverse()
  }
  return [{ metainfo: { version: '1.1.3' } }, ...own.filter((object) => !('element' in object))]
}

const find = (objects: Listed[], kind: string, name: string): Listed => {
  const found = objects.find((object) => object[kind]?.name === name)
  if (!found) throw new Error(`no ${kind} ${name}`)
  return found[kind]
}
const remove = (objects: Listed[], kind: string) =>
  objects.splice(
    objects.findIndex((object) => kind in object),
    1,
  )
const dropIn = (objects: Listed[], chain: string): Listed[] =>
  objects.filter(({ rule }) => rule?.chain === chain).at(-1)?.['rule'].expr

/** What is in all statements of a kind. */
const statements = (objects: Listed[], kind: string): Listed[] =>
  objects.flatMap(({ rule }) => (rule?.expr ?? []).flatMap((one: Listed) => one[kind] ?? []))

/** As a change does that brings another map. */
const leaveBehind = (objects: Listed[]) => {
  const entry = [{ concat: ['tcp', 1] }, { jump: { target: 'gate_old' } }]
  const map = { name: 'ports_0123abcd', elem: [entry, [{ concat: ['tcp', 2] }, { accept: null }]] }
  objects.push({ chain: { name: 'gate_old' } }, { map })
}

/** What it is called depends on what it holds. */
const PORTS = String(
  DOCUMENT.nftables.flatMap((command) =>
    'add' in command && 'map' in command.add ? [command.add.map.name] : [],
  )[0],
)

const CHANGES: Readonly<Record<string, (objects: Listed[]) => unknown>> = {
  'the table dormant': (objects) => {
    const table = objects.find((object) => 'table' in object)?.['table']
    table.flags = ['dormant']
  },
  'the base chain elsewhere': (objects) => {
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
  'a claim that is none': (objects) => {
    for (const statement of statements(objects, 'set')) delete statement['stmt']
  },
  'a set of tokens of another type': (objects) => {
    find(objects, 'set', 'tokens1_vpn_0')['type'] = 'mark'
  },
  'a chain gone': (objects) => remove(objects, 'chain'),
  'a rule gone': (objects) => remove(objects, 'rule'),
  'a set gone': (objects) => remove(objects, 'set'),
  'a counter gone': (objects) => remove(objects, 'counter'),
  'a map gone': (objects) => remove(objects, 'map'),
  'a chain more': (objects) => objects.push({ chain: { name: 'theirs' } }),
  'a rule more': (objects) =>
    objects.push({ rule: { chain: 'gate_ssh', comment: 'x', expr: [{ accept: null }] } }),
  'an accept for a drop, with the same comment': (objects) =>
    dropIn(objects, 'gate_ssh').splice(-1, 1, { accept: null }),
  'a match gone': (objects) => dropIn(objects, 'knock_tcp').splice(0, 1),
  'a trusted block more': (objects) => find(objects, 'set', 'trusted_4')['elem'].push('10.0.0.1'),
  'a map more': (objects) => objects.push({ map: { name: 'theirs' } }),
  'a map more, and a chain to which it leads': (objects) => {
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
  'an entry of a map gone': (objects) => find(objects, 'map', PORTS)['elem'].pop(),
  'an entry of a map that leads elsewhere': (objects) => {
    find(objects, 'map', PORTS)['elem'][0][1] = { accept: null }
  },
  'a timeout changed': (objects) => {
    find(objects, 'set', 'stage1_ssh_4')['timeout'] = 9999
  },
}

t.test('a table as its document made it is intact, whatever its timed sets hold', async (t) => {
  const objects = listTable()
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
  find(objects, 'set', 'grants_ssh_4')['elem'] = [{ elem: { val: '10.0.0.1', timeout: 30 } }]
  // That of the table that it was made in; the rules give each element its own.
  find(objects, 'set', 'grants_ssh_4')['timeout'] = 9999
  find(objects, 'counter', 'knocks_ssh')['packets'] = 17
  const token = { elem: { val: '0x1234', timeout: 30, expires: 3 } }
  for (const set of ['tokens1_vpn_0', 'spent_vpn_0']) find(objects, 'set', set)['elem'] = [token]
  const range = ['2026-01-01 00:00:00', '2026-01-01 00:59:59']
  const port = { elem: { val: { concat: ['tcp', 20000, { range }] }, timeout: 30, expires: 3 } }
  find(objects, 'set', 'ports1_web_0')['elem'] = [port]
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
})

t.test('however much was used at doors that are gone', async (t) => {
  const objects = listTable()
  const spent = find(objects, 'set', 'spent_vpn_0')
  for (let index = 0; index < 1500; index += 1) {
    const name = `spent_${index.toString(16).padStart(12, '0')}_gone_0`
    objects.push({ set: { ...spent, name, elem: [0] } })
  }
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
})

t.test('what packets under way still need may be left behind', async (t) => {
  const objects = listTable()
  leaveBehind(objects)
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
})

t.test('nft 1.0.6 does not list the device of a chain', async (t) => {
  const objects = listTable()
  delete find(objects, 'chain', 'ingress')['dev']
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
})

for (const [name, change] of Object.entries(CHANGES)) {
  t.test(`${name}: not intact`, async (t) => {
    const objects = listTable()
    change(objects)
    t.notOk(isIntact({ nftables: objects }, DOCUMENT))
  })
}

/** Each place of a value that is neither a list nor an object. */
function leavesOf(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (Array.isArray(value)) return value.flatMap((part, index) => leavesOf(part, [...path, index]))
  if (typeof value !== 'object' || value === null) return [[...path]]
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...path, key]))
}

/** Another value of its kind in the same place. */
function changeLeaf(objects: Listed, path: readonly (string | number)[]): void {
  const holder = path.slice(0, -1).reduce((part, key) => part[key], objects)
  const last = path.at(-1) as string
  const before = holder[last]
  if (typeof before === 'number') holder[last] = before + 1
  else if (before === null) holder['other'] = null
  else if (before === '==') holder[last] = '!='
  else if (before === '!=') holder[last] = '=='
  else holder[last] = `${before}x`
}

/** What changes without a hand, or is not what a packet meets. */
const FREE =
  /^\d+ (metainfo|table name|counter (packets|bytes|family|table)|\w+ (family|table)( |$)|set elem \d+ elem comment|set timeout)/

t.test('each value of each rule, set, map and chain is compared', async (t) => {
  const objects = listTable()
  const seen = new Set<string>()
  const leaves = leavesOf(objects).filter((path) => {
    // A statement that is the same as another in another rule says nothing new.
    const [at = 0, kind = '', part = '', place = 0] = path as [number, string, string, number]
    if (kind !== 'rule' || part !== 'expr') return true
    const key = `${JSON.stringify(objects[at]?.[kind].expr[place])} ${path.slice(4).join(' ')}`
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

t.test('so is the order of the rules of a chain', async (t) => {
  const objects = listTable()
  const rules = objects.flatMap(({ rule }, index) => (rule ? [index] : []))
  for (const [place, index] of rules.entries()) {
    const next = rules[place + 1]
    if (next === undefined || objects[next]?.['rule'].chain !== objects[index]?.['rule'].chain)
      continue
    const changed = [...objects]
    ;[changed[index], changed[next]] = [objects[next] as Listed, objects[index] as Listed]
    t.notOk(isIntact({ nftables: changed }, DOCUMENT))
  }
})

t.test('as each version of nft writes it', async (t) => {
  const flags = { payload: { protocol: 'tcp', field: 'flags' } }
  const same: readonly (readonly [unknown, unknown])[] = [
    [
      { match: { op: '==', left: { '&': [flags, 23] }, right: 2 } },
      { match: { op: '==', left: { '&': [flags, ['fin', 'syn', 'rst', 'ack']] }, right: 'syn' } },
    ],
    [
      { match: { op: '==', left: { '&': [flags, 26] }, right: 10 } },
      {
        match: {
          op: '==',
          left: { '&': [flags, { '|': ['syn', 'psh', 'ack'] }] },
          right: { '|': ['syn', 'psh'] },
        },
      },
    ],
    [
      { match: { op: '==', left: { '&': [flags, 6] }, right: 0 } },
      { match: { op: '!', left: flags, right: ['syn', 'rst'] } },
    ],
    [
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: { set: [17, 6] } } },
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: { set: ['tcp', 'udp'] } } },
    ],
    [
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 47 } },
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'a-name-of-this-host' } },
    ],
    [{ limit: { rate: 1, per: 'week', burst: 1 } }, { limit: { rate: 1, burst: 1, per: 'week' } }],
    [
      { match: { op: '==', left: { ct: { key: 'proto-dst' } }, right: { set: [2222] } } },
      {
        match: {
          op: '==',
          left: { ct: { key: 'proto-dst' } },
          right: { set: ['0x8ae [invalid type]'] },
        },
      },
    ],
  ]
  for (const [written, listed] of same) {
    t.ok(isSameText(canonicalText(written), canonicalText(listed)), JSON.stringify(listed))
  }
  const [[first] = [], [, second] = []] = same
  t.notOk(isSameText(canonicalText(first), canonicalText(second)))
})

t.test('what is no listing is not intact', async (t) => {
  for (const listing of [undefined, null, [], {}, { nftables: 'x' }, { nftables: [null, 1] }]) {
    t.notOk(isIntact(listing, DOCUMENT), JSON.stringify(listing))
  }
})
