// A statement as it is written and as versions of nft list it → one form; other ones differ.
import t from 'tap'
import { canonicalText } from './canonical.js'

const saddr = { payload: { protocol: 'ip', field: 'saddr' } }
const mark = { meta: { key: 'mark' } }
const mapped = (op: string, elem: unknown) => ({ map: { op, elem, data: mark, map: '@started_4' } })
const lasting = (timeout: number) => ({ elem: { val: saddr, timeout } })
const assigned = (value: unknown) => ({ mangle: { key: mark, value } })

t.test('a map statement equals the text by which nft 1.0.6 lists it', async (t) => {
  for (const [statement, text] of [
    [mapped('add', saddr), 'add @started_4 { ip saddr : meta mark }'],
    [mapped('delete', saddr), 'delete @started_4 { ip saddr : meta mark }'],
    [mapped('update', lasting(5)), 'update @started_4 { ip saddr timeout 5s : meta mark }'],
    [mapped('update', lasting(90)), 'update @started_4 { ip saddr timeout 1m30s : meta mark }'],
    [mapped('update', lasting(7200)), 'update @started_4 { ip saddr timeout 2h : meta mark }'],
    [
      mapped('update', lasting(93_784)),
      'update @started_4 { ip saddr timeout 1d2h3m4s : meta mark }',
    ],
  ] as const) {
    t.equal(canonicalText(text), canonicalText(statement), text)
  }
})

t.test('other map statements', async (t) => {
  const own = canonicalText(mapped('update', lasting(90)))
  for (const text of [
    'add @started_4 { ip saddr timeout 1m30s : meta mark }',
    'update @started_6 { ip saddr timeout 1m30s : meta mark }',
    'update @started_4 { ip daddr timeout 1m30s : meta mark }',
    'update @started_4 { ip6 saddr timeout 1m30s : meta mark }',
    'update @started_4 { ip saddr timeout 1m31s : meta mark }',
    'update @started_4 { ip saddr timeout 1m30s500ms : meta mark }',
    'update @started_4 { ip saddr timeout x : meta mark }',
    'update @started_4 { ip saddr : meta mark }',
    'update @started_4 { ip saddr timeout 1m30s : meta priority }',
    'update @started_4 { ip saddr timeout 1m30s : meta mark } accept',
    'accept',
  ]) {
    t.not(canonicalText(text), own, text)
  }
  t.equal(canonicalText('accept'), '"accept"', 'a text of another form stays as it is')
})

t.test('bits that are set do not depend on the mask', async (t) => {
  const union = (mask: number, bits: unknown) => assigned({ '|': [{ '&': [mark, mask] }, bits] })
  const own = canonicalText(union(0xffffffc0, 1))
  t.equal(canonicalText(union(0xffffffc1, 1)), own)
  t.not(canonicalText(union(0xffffffc2, 1)), own)
  t.not(canonicalText(union(0xffffffc0, 2)), own)
  t.not(canonicalText(union(0xffffff80, 1)), own)
  t.not(canonicalText(assigned({ '&': [mark, 0xffffffc0] })), own)
  t.equal(canonicalText(union(0xffffffc0, 'x')), JSON.stringify(union(0xffffffc0, 'x')))
})
