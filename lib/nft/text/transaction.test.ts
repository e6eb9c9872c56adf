// Each command that is written → a line of nft's own language.
import t from 'tap'
import type { NftCommand, NftStatement } from '../document.js'
import { formatTransaction, hasMapStatement } from './transaction.js'

const here = { family: 'inet', table: 't' } as const
const table = { family: 'inet', name: 't' } as const
const rule = (...expr: NftStatement[]): NftCommand => ({
  add: { rule: { ...here, chain: 'c', comment: 'x', expr } },
})
const elements = (name: string, ...elem: unknown[]) => ({
  element: { ...here, name, elem: elem as string[] },
})
const saddr = { payload: { protocol: 'ip', field: 'saddr' } }
const mark = { meta: { key: 'mark' } }
const port = { payload: { protocol: 'th', field: 'dport' } }
const place = { type: 'filter', hook: 'input', prio: -10, policy: 'accept' } as const

const LINES: readonly (readonly [command: NftCommand, line: string])[] = [
  [{ add: { table } }, 'add table inet t'],
  [{ create: { table } }, 'create table inet t'],
  [{ delete: { table } }, 'delete table inet t'],
  [{ flush: { table } }, 'flush table inet t'],
  [{ add: { counter: { ...here, name: 'n' } } }, 'add counter inet t n'],
  [
    { add: { counter: { ...here, name: 'n', packets: 7, bytes: 0 } } },
    'add counter inet t n { packets 7 bytes 0 }',
  ],
  [{ add: { chain: { ...here, name: 'c' } } }, 'add chain inet t c'],
  [
    { add: { chain: { ...here, name: 'c', ...place } } },
    'add chain inet t c { type filter hook input priority -10; policy accept; }',
  ],
  [
    {
      add: {
        chain: { family: 'netdev', table: 't', name: 'c', ...place, hook: 'ingress', dev: 'eth0' },
      },
    },
    'add chain netdev t c { type filter hook ingress device "eth0" priority -10; policy accept; }',
  ],
  [
    { add: { set: { ...here, name: 's', type: 'ipv4_addr', flags: ['timeout'], timeout: 5 } } },
    'add set inet t s { type ipv4_addr; flags timeout; timeout 5s; }',
  ],
  [
    {
      add: {
        set: {
          ...here,
          name: 's',
          type: 'mark',
          flags: ['timeout'],
          size: 9,
          stmt: [{ counter: null }],
        },
      },
    },
    'add set inet t s { type mark; flags timeout; size 9; counter; }',
  ],
  [
    {
      add: {
        set: { ...here, name: 's', type: 'mark', elem: [{ elem: { val: 0, comment: 'a b' } }] },
      },
    },
    'add set inet t s { type mark; elements = { 0 comment "a b" }; }',
  ],
  [
    { add: { map: { ...here, name: 'm', type: ['inet_proto', 'inet_service'], map: 'mark' } } },
    'add map inet t m { type inet_proto . inet_service : mark; }',
  ],
  [
    { add: elements('s', '10.0.0.1', { elem: { val: '::1', timeout: 30, expires: 7 } }) },
    'add element inet t s { 10.0.0.1, ::1 timeout 30s expires 7s }',
  ],
  [
    { add: elements('s', { concat: ['10.0.0.1', 22] }, { prefix: { addr: '10.0.0.0', len: 8 } }) },
    'add element inet t s { 10.0.0.1 . 22, 10.0.0.0/8 }',
  ],
  [
    { add: elements('m', [{ concat: [6, 7000] }, { jump: { target: 'c' } }], [64, 22]) },
    'add element inet t m { 6 . 7000 : jump c, 64 : 22 }',
  ],
  [
    { add: elements('m', [{ elem: { val: { concat: [6, 7000] }, comment: 'ssh open 1/3' } }, 64]) },
    'add element inet t m { 6 . 7000 comment "ssh open 1/3" : 64 }',
  ],
  [
    {
      delete: elements('m', [{ elem: { val: { concat: ['tcp', 7000] }, comment: 'a"b' } }, 64]),
    },
    'delete element inet t m { tcp . 7000 : 64 }',
  ],
  [
    { delete: elements('s', { elem: { val: '10.0.0.1', timeout: 30 } }, 0) },
    'delete element inet t s { 10.0.0.1, 0 }',
  ],
  [{ delete: { chain: { ...here, name: 'a.b/c' } } }, 'delete chain inet t a.b/c'],
  [{ delete: { set: { ...here, name: 's' } } }, 'delete set inet t s'],
  [{ delete: { map: { ...here, name: 'm' } } }, 'delete map inet t m'],
  [{ delete: { counter: { ...here, name: 'n' } } }, 'delete counter inet t n'],
  [{ delete: { rule: { ...here, chain: 'c', handle: 7 } } }, 'delete rule inet t c handle 7'],
  [{ flush: { chain: { ...here, name: 'c' } } }, 'flush chain inet t c'],
  [{ flush: { set: { ...here, name: 's' } } }, 'flush set inet t s'],
  [{ flush: { map: { ...here, name: 'm' } } }, 'flush map inet t m'],
  [
    rule({ mangle: { key: mark, value: { map: { key: { concat: [mark, port] }, data: '@m' } } } }),
    'add rule inet t c meta mark set meta mark . th dport map @m comment "x"',
  ],
  [
    rule({ mangle: { key: port, value: { map: { key: mark, data: '@m' } } } }),
    'add rule inet t c th dport set meta mark map @m comment "x"',
  ],
  [
    rule({ mangle: { key: mark, value: { '|': [{ '&': [mark, 4294967232] }, 1] } } }),
    'add rule inet t c meta mark set meta mark & 4294967232 | 1 comment "x"',
  ],
  [
    rule({
      map: { op: 'update', elem: { elem: { val: saddr, timeout: 5 } }, data: mark, map: '@m' },
    }),
    'add rule inet t c update @m { ip saddr timeout 5s : meta mark } comment "x"',
  ],
  [
    rule({ map: { op: 'delete', elem: saddr, data: mark, map: '@m' } }, { drop: null }),
    'add rule inet t c delete @m { ip saddr : meta mark } drop comment "x"',
  ],
]

t.test('each command is one line, in order', async (t) => {
  for (const [command, line] of LINES) {
    t.equal(formatTransaction({ nftables: [command] }), `${line}\n`)
  }
  const text = formatTransaction({ nftables: LINES.map(([command]) => command) })
  t.equal(text, LINES.map(([, line]) => `${line}\n`).join(''))
})

t.test('commands that could be read as something else are refused', async (t) => {
  const wrong: Record<string, unknown> = {
    'an unknown command': { replace: { table } },
    'a chain with a brace': { delete: { chain: { ...here, name: 'c }' } } },
    'a table with a new line': { add: { table: { ...table, name: 't\n' } } },
    'no elements': { add: elements('s') },
    'an element that is code': { add: elements('s', '10.0.0.1 }') },
    'a comment that ends early': { add: elements('s', { elem: { val: 0, comment: 'a"b' } }) },
    'an element with an unknown part': { add: elements('s', { elem: { val: 0, x: 1 } }) },
    'an entry with a word': { add: elements('m', [64, 'x']) },
    'a set that counts bytes': {
      add: { set: { ...here, name: 's', type: 'mark', stmt: [{ quota: 1 }] } },
    },
    'a handle that is code': { delete: { rule: { ...here, chain: 'c', handle: '7 }' } } },
    'an unknown change of a map': rule({ map: { op: 'x', elem: saddr, data: mark, map: '@m' } }),
    'a map without @': rule({ map: { op: 'add', elem: saddr, data: mark, map: 'm' } }),
    'a mask of a union': rule({
      mangle: { key: mark, value: { '&': [{ '|': [mark, 1] }, 2] } },
    }),
  }
  for (const [name, command] of Object.entries(wrong)) {
    const document = { nftables: [command as NftCommand] }
    t.throws(() => formatTransaction(document), /^unreachable: no text for /, name)
  }
})

t.test('map statements are found', async (t) => {
  const changes = rule(
    { drop: null },
    { map: { op: 'delete', elem: saddr, data: mark, map: '@m' } },
  )
  t.equal(hasMapStatement({ nftables: [{ add: { table } }, changes] }), true)
  const looks = rule({ mangle: { key: port, value: { map: { key: mark, data: '@m' } } } })
  t.equal(hasMapStatement({ nftables: [looks] }), false)
})
