// A table's document, and listings of it that differ by one thing → whether that is noticed.
import t from 'tap'
import { renderKnock } from '../knock.js'
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
    DOCUMENT.nftables.flatMap((command) => ('add' in command ? [command.add] : [])),
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

t.test('what is no listing is not intact', async (t) => {
  for (const listing of [undefined, null, [], {}, { nftables: 'x' }, { nftables: [null, 1] }]) {
    t.notOk(isIntact(listing, DOCUMENT), JSON.stringify(listing))
  }
})
