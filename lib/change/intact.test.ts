// A listing and a document → whether the table is unchanged.
import t from 'tap'
import { DOCUMENT, find, leaveBehind, listTable } from '../../integration/fixtures/altered.js'
import { canonicalText, isSameText } from '../nft/canonical.js'
import { isIntact } from './intact.js'

t.test('an unchanged table is intact, whatever its timed sets hold', async (t) => {
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

t.test('used tokens and sequences of removed doors do not matter', async (t) => {
  const objects = listTable()
  const spent = find(objects, 'set', 'spent_vpn_0')
  for (let index = 0; index < 1500; index += 1) {
    const name = `spent_${index.toString(16).padStart(12, '0')}_gone_0`
    objects.push({ set: { ...spent, name, elem: [0] } })
  }
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
})

t.test('parts that a reload left for packets under way do not matter', async (t) => {
  const objects = listTable()
  leaveBehind(objects)
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
})

t.test('a listing without the device of a chain is intact, as from nft 1.0.6', async (t) => {
  const objects = listTable()
  delete find(objects, 'chain', 'ingress')['dev']
  t.ok(isIntact({ nftables: objects }, DOCUMENT))
})

t.test('a table is intact in the listing of each version of nft', async (t) => {
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

t.test('a document that is not a listing is not intact', async (t) => {
  for (const listing of [undefined, null, [], {}, { nftables: 'x' }, { nftables: [null, 1] }]) {
    t.notOk(isIntact(listing, DOCUMENT), JSON.stringify(listing))
  }
})
