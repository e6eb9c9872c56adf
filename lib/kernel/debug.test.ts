// Transactions and KNOCKLIB_DEBUG → the debug lines, without the elements' contents.
import t from 'tap'
import { nftOf, said } from '../../integration/captures/nft-script.js'
import type { NftDocument } from '../nft/document.js'
import { debugged, outlineOf } from './debug.js'

const set = { family: 'inet', table: 'knock', name: 'tokens1_ssh' } as const
const token = '00112233445566778899aabbccddeeff'
const DOCUMENT: NftDocument = {
  nftables: [
    { add: { table: { family: 'inet', name: 'knock' } } },
    { add: { element: { ...set, elem: [token, token] } } },
    { add: { element: { ...set, name: 'grants_ssh_4', elem: ['203.0.113.7'] } } },
    {
      add: {
        rule: { family: 'inet', table: 'knock', chain: 'a', expr: [{ drop: null }] } as const,
      },
    },
    {
      add: {
        rule: { family: 'inet', table: 'knock', chain: 'b', expr: [{ drop: null }] } as const,
      },
    },
  ],
}

t.test('an outline has the names and sizes of sets, and none of their elements', async (t) => {
  const outline = outlineOf(DOCUMENT)
  t.equal(
    outline,
    '1 add table, 1 add element tokens1_ssh (2), 1 add element grants_ssh_4 (1), 2 add rule',
  )
  t.notMatch(outline, token)
})

t.test('if debugging is on, a call writes how it ended and how long it took', async (t) => {
  const done = () =>
    debugged(
      () => 'apply',
      () => Promise.resolve(7),
    )
  t.match(await said(done, 'nft'), /^knocklib nft: apply: done in \d+\.\d ms\n$/)
  t.equal(await said(done, ''), '')
  t.equal(await said(done, 'other'), '')
  const failed = () =>
    debugged(
      () => 'list \u001b[2J',
      () => Promise.reject(new Error('no')),
    )
  t.match(await said(failed), /^knocklib nft: list \S+: failed \(an error\) in \d+\.\d ms\n$/)
  t.notMatch(await said(failed), '\u001b')
})

t.test('a run of nft writes its arguments and an outline of the document', async (t) => {
  const nft = nftOf(t, 'cat >/dev/null; exit 1')
  const text = await said(() => nft.apply(DOCUMENT))
  t.match(
    text,
    /^knocklib nft: nft -j -f \S+ .*1 add element tokens1_ssh \(2\).*: exit code 1 in /m,
  )
  t.notMatch(text, token)
})
