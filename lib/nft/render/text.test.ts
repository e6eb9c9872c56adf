// A rendered document → text, with no foreign text in it.
import t from 'tap'
import { spec } from '../../../integration/fixtures/specs.js'
import { buildAutomaton } from '../../automaton/build.js'
import { validateSpec } from '../../spec/validate.js'
import type { NftDocument, NftObject, NftStatement } from '../document.js'
import { renderRuleset } from './render.js'
import { renderText } from './text.js'

const documentOf = (parts: object = {}, rest: object = {}): NftDocument =>
  renderRuleset(buildAutomaton(validateSpec(spec({ ...parts }, { ...rest }))))

t.test('the text makes one table anew', async (t) => {
  const text = renderText(documentOf({}, { table: 'gate' }))
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))
  t.strictSame(lines.slice(0, 5), [
    '',
    'add table inet gate',
    'delete table inet gate',
    '',
    'table inet gate {',
  ])
  t.equal(text.at(-1), '\n')
  t.equal(text.match(/\btable inet\b/g)?.length, 3)
})

t.test('each kind of part is written', async (t) => {
  const address = ['10.0.0.0/8', '192.0.2.1']
  const parts = { service: ['tcp/22', 'tcp/80-90'], address }
  const guard = { trusted: ['10.1.0.0/16', '::1'] }
  const text = renderText(
    documentOf(parts, { table: 'gate', log: { group: 7 }, guard, interfaces: ['eth0', 'wlan*'] }),
  )
  for (const part of [
    '  counter knocks_ssh {}',
    '  set grants_ssh_4 {\n    type ipv4_addr\n    flags timeout\n    timeout 30s\n ' +
      '   size 262144\n  }',
    '    type ipv6_addr . inet_service . inet_service',
    '    elements = {\n      10.1.0.0/16,\n    }',
    '    type inet_proto . inet_service : verdict',
    '    tcp dport == 80-90 jump gate_ssh comment "tcp/80-90"',
    '    type filter hook input priority -10; policy accept;',
    '    meta iifname != { "eth0", "wlan*" } accept comment "/interfaces"',
    '    ct state established accept comment ',
    /^ {4}th dport == @named_([0-9a-f]{8})_0 meta l4proto \. th dport vmap @ports_\1 comment /m,
    '    tcp flags & 23 == 2 ',
    '    ip daddr != { 10.0.0.0/8, 192.0.2.1 } return comment "ssh /doors/0/address"',
    '    meta nfproto == ipv6 return ',
    '    ip saddr == @grants_ssh_4 accept comment "ssh /doors/0/open"',
    '    goto log_denied_drop_ssh comment "ssh /doors/0/service"',
    '    limit rate 10/second burst 10 packets counter name "denied_ssh" log prefix "kl gate ' +
      'denied ssh - - -" group 7 snaplen 128 queue-threshold 1 drop comment "ssh denied logged"',
    '    counter name "unlogged_denied_ssh" drop comment "ssh denied unlogged"',
    ' update @knocking_4 { ip saddr timeout 6s } ',
    ' comment "service ssh tcp/80-90",',
  ]) {
    t.match(text, part, String(part))
  }
})

/** The text of what a spec of these doors and these other parts renders. */
const textOf = (doors: readonly object[], rest: object = {}): string =>
  renderText(renderRuleset(buildAutomaton(validateSpec({ ...rest, doors }))))

const steps = { type: 'sequence', steps: ['tcp/7000'] }
const ssh = { name: 'ssh', service: 'tcp/22', knock: steps, open: { for: '30s' } }

t.test('all kinds of knocks and openings are written', async (t) => {
  const user = { name: 'ana', secretFile: '/etc/knock/ana' }
  const token = { type: 'token', port: 'udp/7001', period: '30s', users: [user] }
  const rotate = { secretFile: '/etc/knock/x', every: '1h', steps: 2, ports: '20000-20999' }
  const open = (parts: object) => ({ ...ssh, open: { for: '30s', ...parts } })
  const texts: readonly (readonly [text: string, ...parts: string[]])[] = [
    [
      textOf([{ ...ssh, knock: token }]),
      '    typeof @th,64,128\n    flags timeout\n',
      ' @th,64,128 == @tokens1_ssh_0 ',
      ' { @th,64,128 limit rate 1/week burst 1 packets } ',
    ],
    [
      textOf([{ ...ssh, knock: { type: 'sequence', rotate } }]),
      '    typeof meta l4proto . th dport . meta time\n    flags interval,timeout\n  }',
      ' meta l4proto . th dport . meta time == @ports1_ssh_0 ',
    ],
    [
      textOf([open({ scope: 'everyone' })]),
      '    type mark\n    flags timeout\n    timeout 30s\n',
      ' update @grants_ssh_0 { meta mark & 0 timeout 30s } ',
      '    meta mark & 0 == @grants_ssh_0 accept ',
    ],
    [textOf([open({ mark: 4294967295 })]), ' meta mark set 4294967295 accept '],
    [
      textOf([open({ established: 'cut' })]),
      ' ct state established ct direction == original jump cut ',
      ' reject with tcp reset comment ',
    ],
    [
      textOf([{ ...open({ redirectTo: 2222 }), service: ['tcp/22', 'tcp/2200-2210'] }]),
      '    type nat hook prerouting priority -110; policy accept;',
      ' tcp dport == 2200-2210 ',
      ' redirect to :2222 comment ',
      ' ct original proto-dst == { 22, 2200-2210 } accept ',
    ],
    [textOf([open({ redirectTo: '192.0.2.7:22' })]), ' dnat ip to 192.0.2.7:22 comment '],
    [textOf([open({ redirectTo: '[2001:db8::7]:22' })]), ' dnat ip6 to [2001:db8::7]:22 comment '],
    [
      textOf([ssh], { hook: 'ingress', interfaces: ['eth0', 'wan.7'] }),
      '    type filter hook ingress device "eth0" priority -10; policy accept;',
      '    type filter hook ingress device "wan.7" priority -10; policy accept;',
      '    tcp flags & 18 != 2 accept comment ',
      '    ip frag-off & 8191 == 1 drop comment ',
      '    frag frag-off == 1 drop comment ',
    ],
  ]
  for (const [text, ...parts] of texts) {
    for (const part of parts) t.match(text, part, part)
  }
})

const table = { family: 'inet', name: 't' } as const
const head: NftDocument['nftables'] = [
  { add: { table } },
  { delete: { table } },
  { add: { table } },
]
const chain = { family: 'inet', table: 't', name: 'c' } as const
const withRule = (comment: string, ...expr: unknown[]): NftDocument => {
  const rule = { family: 'inet', table: 't', chain: 'c', comment, expr } as const
  return {
    nftables: [
      ...head,
      { add: { chain } },
      { add: { rule: { ...rule, expr: expr as NftStatement[] } } },
    ],
  }
}
const map = { map: { ...chain, type: 'inet_proto', map: 'verdict' } }
const add = (...objects: unknown[]): NftDocument => ({
  nftables: [...head, ...objects.map((object) => ({ add: object as NftObject }))],
})

t.test('forms that the renderer never writes are refused', async (t) => {
  const match = (left: unknown, right: unknown, op = '==') =>
    withRule('x', { match: { op, left, right } })
  const saddr = { payload: { protocol: 'ip', field: 'saddr' } }
  const wrong: Record<string, NftDocument> = {
    nothing: { nftables: [] },
    'no table': { nftables: [{ add: { chain } }] },
    'two tables': { nftables: [...head.slice(0, 2), { add: { table: { ...table, name: 'u' } } }] },
    'a delete later on': { nftables: [...head, { delete: { chain } }] },
    'a table later on': { nftables: [...head, { add: { table } }] },
    'a name with a brace': add({ chain: { ...chain, name: 'c { }' } }),
    'a name with a new line': add({ chain: { ...chain, name: 'c\n' } }),
    'half a second': add({ set: { ...chain, type: 'ipv4_addr', timeout: 0.5 } }),
    'a comment that ends early': withRule('a" accept comment "b', { accept: null }),
    'a comment over two lines': withRule('a\nb', { accept: null }),
    'a comment with a backslash': withRule('a\\', { accept: null }),
    'a comment that is too long': withRule('a'.repeat(129), { accept: null }),
    'a comment that is not ASCII': withRule('ü', { accept: null }),
    'an unknown statement': withRule('x', { notrack: null }),
    'a log with fewer parts than we write': withRule('x', { log: { prefix: 'x' } }),
    'a log with a quote': withRule('x', {
      log: { prefix: 'a" accept "b', group: 5, snaplen: 128, 'queue-threshold': 1 },
    }),
    'an accept with something in it': withRule('x', { accept: {} }),
    'two statements in one': withRule('x', { accept: null, drop: null }),
    'a jump to nowhere': withRule('x', { jump: {} }),
    'a counter without a name': withRule('x', { counter: null }),
    'an unknown operation on a set': withRule('x', {
      set: { op: 'flush', elem: saddr, set: '@s' },
    }),
    'a set without @': withRule('x', { set: { op: 'add', elem: saddr, set: 's' } }),
    'a set with other statements': withRule('x', {
      set: { op: 'add', elem: saddr, set: '@s', stmt: [{ quota: { val: 1 } }] },
    }),
    'a limit with an unknown part': withRule('x', {
      limit: { rate: 1, per: 'week', burst: 1, inv: true },
    }),
    'a mark that is no number': withRule('x', {
      mangle: { key: { meta: { key: 'mark' } }, value: '7 accept' },
    }),
    'a reject of another type': withRule('x', { reject: { type: 'icmpx' } }),
    'a reject without a type': withRule('x', { reject: null }),
    'a redirect to a range': withRule('x', { redirect: { port: { range: [1, 2] } } }),
    'a redirect to nowhere': withRule('x', { redirect: null }),
    'a dnat to an invalid address': withRule('x', {
      dnat: { family: 'ip', addr: '10.0.0.1 accept', port: 22 },
    }),
    'a dnat without a port': withRule('x', { dnat: { family: 'ip', addr: '10.0.0.1' } }),
    'a device with a quote': add({
      chain: { ...chain, type: 'filter', hook: 'ingress', dev: 'a"b', prio: 0, policy: 'accept' },
    }),
    'a typeof without an expression': add({ set: { ...chain, type: { typeof: {} } } }),
    'bits without a header': match({ payload: { base: 'th', offset: 64 } }, '@s'),
    'a direction that is code': match({ ct: { key: 'state', dir: 'original }' } }, 1),
    'a set with statements': withRule('x', {
      set: { op: 'add', elem: saddr, set: '@s', stmt: [] },
    }),
    'an unknown operator': match(saddr, '10.0.0.1', '<'),
    'an unknown expression': match({ numgen: {} }, 1),
    'a payload with an unknown part': match(
      { payload: { protocol: 'ip', field: 'saddr', base: 'th' } },
      1,
    ),
    'a value that is code': match(saddr, '10.0.0.1 accept'),
    'a value that is half a number': match(saddr, 1.5),
    'a value that is true': match(saddr, true),
    'an empty set': match(saddr, { set: [] }),
    'an empty list': match({ ct: { key: 'state' } }, [], 'in'),
    'an interface with a quote': match({ meta: { key: 'iifname' } }, 'a"b'),
    'an entry of three parts': add(map, { element: { ...chain, elem: [[1, { drop: null }, 2]] } }),
    'an entry without a verdict': add(map, { element: { ...chain, elem: [[1, 2]] } }),
    'an element without a map': add({ element: { ...chain, elem: [[1, { drop: null }]] } }),
    'a rule without a chain': add({
      rule: { family: 'inet', table: 't', chain: 'c', comment: 'x', expr: [{ drop: null }] },
    }),
    'a chain of another table': add({ chain: { ...chain, table: 'u' } }),
  }
  for (const [name, document] of Object.entries(wrong)) {
    t.throws(() => renderText(document), /^unreachable: no text for /, name)
  }
})

t.test('all other characters in a comment are accepted', async (t) => {
  const text = renderText(withRule("a'b; # {c} /doors/0~1 $x @y", { accept: null }))
  t.match(text, `accept comment "a'b; # {c} /doors/0~1 $x @y"`)
})
