// What is said of transactions: by whom it is asked for, and what is left out.
import t from 'tap'
import type { NftDocument } from '../nft/document.js'
import { debugged, outlineOf } from './debug.js'
import { createNft } from './process/process-nft.js'

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

async function said(run: () => Promise<unknown>, debug: string | undefined): Promise<string> {
  const before = process.env['KNOCKLIB_DEBUG']
  const { write } = process.stderr
  let text = ''
  process.stderr.write = (chunk: unknown) => {
    text += String(chunk)
    return true
  }
  if (debug === undefined) delete process.env['KNOCKLIB_DEBUG']
  else process.env['KNOCKLIB_DEBUG'] = debug
  try {
    await run().catch(() => {})
    return text
  } finally {
    process.stderr.write = write
    delete process.env['KNOCKLIB_DEBUG']
    if (before !== undefined) process.env['KNOCKLIB_DEBUG'] = before
  }
}

t.test('an outline has names of sets and numbers, and nothing that they hold', async (t) => {
  const outline = outlineOf(DOCUMENT)
  t.equal(
    outline,
    '1 add table, 1 add element tokens1_ssh (2), 1 add element grants_ssh_4 (1), 2 add rule',
  )
  t.notMatch(outline, token)
})

t.test('says how it ended and how long it took, if it is asked for', async (t) => {
  const done = () =>
    debugged(
      () => 'apply',
      () => Promise.resolve(7),
    )
  t.match(await said(done, 'nft'), /^knocklib nft: apply: done in \d+\.\d ms\n$/)
  t.equal(await said(done, undefined), '')
  t.equal(await said(done, 'other'), '')
  const failed = () =>
    debugged(
      () => 'apply',
      () => Promise.reject(new Error('no\u001b[2J')),
    )
  t.match(await said(failed, 'nft'), /^knocklib nft: apply: no\S+ in \d+\.\d ms\n$/)
  t.notMatch(await said(failed, 'nft'), '\u001b')
})

t.test('a run of nft says its arguments and what it was given', async (t) => {
  const folder = t.testdir({ nft: '#!/bin/sh\ncat >/dev/null\nexit 1\n' })
  const { chmod } = await import('node:fs/promises')
  await chmod(`${folder}/nft`, 0o755)
  const nft = createNft({ binary: `${folder}/nft` })
  const text = await said(() => nft.apply(DOCUMENT), 'nft')
  t.match(
    text,
    /^knocklib nft: nft -j -f \S+ .*1 add element tokens1_ssh \(2\).*: exit code 1 in /m,
  )
  t.notMatch(text, token)
})
