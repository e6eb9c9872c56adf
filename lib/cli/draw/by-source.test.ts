// The order in which addresses are shown.
import t from 'tap'
import { bySource } from './by-source.js'

t.test('sources are sorted by the numbers of their addresses', async (t) => {
  const sorted = [
    ...['everyone', '9.0.0.1', '10.0.0.9', '10.0.0.10', '203.0.113.7'],
    ...['::', '::9', '::a', '::10', '1::', '1::9', '2001:db8::7', '2001:db8::1:0', 'fd00::1'],
  ]
  const sources = sorted.map((source) => ({ source }))
  const mixed = sources.toSorted((a, b) => (a.source < b.source ? 1 : -1))
  t.strictSame(mixed.toSorted(bySource), sources)
  t.equal(bySource({ source: '::1' }, { source: '::1' }), 0)
})
