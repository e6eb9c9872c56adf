// Parts of the automaton's rules → nft's expressions and statements, if they differ from their
// names.
import t from 'tap'
import type { Match, Verdict } from '../../automaton/language/automaton.js'
import type { KeyField } from '../../automaton/language/sets.js'
import { type KeyOf, renderAction, renderMatch, renderVerdict } from './expression.js'
import { renderKey, renderType } from './keys.js'

const KEYS: Readonly<Record<string, readonly KeyField[] | 'period'>> = {
  grants_a: ['source'],
  grants_b: ['all'],
  lock_c: ['udp-token'],
  ports1_d: 'period',
}
const keyOf: KeyOf = (set) => {
  const key = KEYS[set] ?? ['source']
  return key === 'period' ? key : { key }
}
const mark = { '&': [{ meta: { key: 'mark' } }, 0] }
const bits = { payload: { base: 'th', offset: 64, len: 128 } }
const saddr = { payload: { protocol: 'ip6', field: 'saddr' } }
const time = {
  concat: [
    { meta: { key: 'l4proto' } },
    { payload: { protocol: 'th', field: 'dport' } },
    { meta: { key: 'time' } },
  ],
}

t.test('keys and the types of their sets are rendered', async (t) => {
  t.same(renderKey({ key: ['all'] }, 4), mark)
  t.same(renderKey({ key: ['udp-token'] }, 4), bits)
  t.same(renderType(['all'], 6), 'mark')
  t.same(renderType(['source'], 6), 'ipv6_addr')
  t.same(renderType(['source', 'port'], 4), ['ipv4_addr', 'inet_service'])
  const at = (offset: number) => ({ payload: { base: 'th', offset, len: 128 } })
  t.same(renderKey({ key: ['stun-token'] }, 4), at(8 * (8 + 24)))
  t.same(renderKey({ key: ['dns-token'] }, 6), at(8 * (8 + 13)))
  for (const field of ['udp-token', 'stun-token', 'dns-token'] as const) {
    t.same(
      renderType([field], 4),
      { typeof: bits },
      'both spellings give one type, so that used tokens stay',
    )
  }
})

t.test('sets are looked up by their own key, and their names have the family', async (t) => {
  const found = (set: string) => renderMatch({ kind: 'in', set }, 6, keyOf)
  const match = (left: unknown, right: string) => ({ match: { op: '==', left, right } })
  t.same(found('grants_a'), match(saddr, '@grants_a_6'))
  t.same(found('grants_b'), match(mark, '@grants_b_0'))
  t.same(found('lock_c'), match(bits, '@lock_c_0'))
  t.same(found('ports1_d'), match(time, '@ports1_d_0'))
})

t.test(
  'the sources of a set with a prefix are blocks, and its name has their length',
  async (t) => {
    const blocks: KeyOf = (set) => ({
      key: set === 'both' ? ['source', 'port'] : ['source'],
      prefix: { 4: 24, 6: set === 'odd' ? 61 : 128 },
    })
    const found = (set: string, family: 4 | 6) => renderMatch({ kind: 'in', set }, family, blocks)
    const match = (left: unknown, right: string) => ({ match: { op: '==', left, right } })
    const block = { '&': [{ payload: { protocol: 'ip', field: 'saddr' } }, '255.255.255.0'] }
    t.same(found('grants', 4), match(block, '@grants_4p24'))
    t.same(found('grants', 6), match(saddr, '@grants_6'), 'all bits are the address')
    t.same(found('odd', 6), match({ '&': [saddr, 'ffff:ffff:ffff:fff8::'] }, '@odd_6p61'))
    const port = { payload: { protocol: 'th', field: 'dport' } }
    t.same(found('both', 4), match({ concat: [block, port] }, '@both_4p24'))
    t.same(renderAction({ op: 'update', set: 'grants' }, 4, blocks), {
      set: { op: 'update', elem: block, set: '@grants_4p24' },
    })
  },
)

t.test('bytes of the payload are rendered as bits after the UDP header', async (t) => {
  const left = { payload: { base: 'th', offset: 96, len: 32 } }
  const match = (op: string) => ({ match: { op, left, right: 0x2112a442 } })
  const cookie = { kind: 'bytes', at: 4, bytes: '2112a442' } as const
  t.same(renderMatch(cookie, 4, keyOf), match('=='))
  t.same(renderMatch({ ...cookie, not: true }, 6, keyOf), match('!='))
})

t.test('a claim is rendered as an element with a limit of one packet', async (t) => {
  const limit = { rate: 1, per: 'week', burst: 1 }
  t.same(renderAction({ op: 'claim', set: 'lock_c' }, 4, keyOf), {
    set: { op: 'add', elem: bits, set: '@lock_c_0', stmt: [{ limit }] },
  })
  t.same(renderAction({ op: 'add', set: 'lock_c' }, 4, keyOf), {
    set: { op: 'add', elem: bits, set: '@lock_c_0' },
  })
  const timed = { val: { payload: { protocol: 'ip', field: 'saddr' } }, timeout: 30 }
  t.same(
    renderAction(
      { op: 'update', set: 'grants' },
      4,
      () => ({ key: ['source'] }),
      () => ({ timeout: 30 }),
    ),
    {
      set: { op: 'update', elem: { elem: timed }, set: '@grants_4' },
    },
  )
  const own = renderAction(
    { op: 'update', set: 'grants', timeout: 5 },
    4,
    () => ({ key: ['source'] }),
    () => ({ timeout: 30 }),
  )
  t.match(own, { set: { elem: { elem: { timeout: 5 } } } }, 'a time of its own')
  t.same(
    renderAction(
      { op: 'delete', set: 'grants' },
      4,
      () => ({ key: ['source'] }),
      () => ({ timeout: 30 }),
    ),
    {
      set: { op: 'delete', elem: timed.val, set: '@grants_4' },
    },
  )
  t.same(renderAction({ op: 'mark', value: 7 }, 4, keyOf), {
    mangle: { key: { meta: { key: 'mark' } }, value: 7 },
  })
})

t.test('verdicts that nft does not have are rendered as statements', async (t) => {
  const redirect = (to: Extract<Verdict, { kind: 'redirect' }>['to']) =>
    renderVerdict({ kind: 'redirect', to })
  t.same(renderVerdict({ kind: 'reset' }), { reject: { type: 'tcp reset' } })
  t.same(redirect({ port: 22 }), { redirect: { port: 22 } })
  t.same(redirect({ port: 22, family: 4, address: '192.0.2.7' }), {
    dnat: { family: 'ip', addr: '192.0.2.7', port: 22 },
  })
  t.same(redirect({ port: 22, family: 6, address: '2001:db8::7' }), {
    dnat: { family: 'ip6', addr: '2001:db8::7', port: 22 },
  })
})

t.test('the state of a connection and negated flags are rendered', async (t) => {
  const rendered = (match: Match) => renderMatch(match, 4, keyOf)
  t.same(rendered({ kind: 'original-direction' }), {
    match: { op: '==', left: { ct: { key: 'direction' } }, right: 'original' },
  })
  const left = { ct: { key: 'proto-dst', dir: 'original' } }
  const [one, range] = [
    { from: 22, to: 22 },
    { from: 80, to: 90 },
  ]
  t.same(rendered({ kind: 'redirected', from: [one] }), { match: { op: '==', left, right: 22 } })
  t.same(rendered({ kind: 'redirected', from: [one, range] }), {
    match: { op: '==', left, right: { set: [22, { range: [80, 90] }] } },
  })
  t.match(rendered({ kind: 'flags', flags: { mask: 23, value: 2 }, not: true }), {
    match: { op: '!=', right: 2 },
  })
})
