// Failing runs whose input, output and error contain secrets → the debug lines contain none.
import t from 'tap'
import { later } from '../../integration/captures/elements.js'
import { ackOf, type FakeSocket, fakeOpen } from '../../integration/captures/fake-socket.js'
import { nftOf, said } from '../../integration/captures/nft-script.js'
import { NetlinkError, NftError } from '../errors.js'
import type { ElementDocument, NftDocument } from '../nft/document.js'
import { debugged } from './debug.js'
import { NetlinkElements } from './netlink/netlink.js'
import { createNft } from './ssh/create-nft.js'

const TOKEN = '00112233445566778899aabbccddeeff'
const SOURCE = '203.0.113.77'
/** Ports of a sequence, which are in a set and in a rule. */
const PORTS = [47_101, 52_903, 41_414] as const
const SECRETS = [TOKEN, SOURCE, ...PORTS.map(String)]

const inet = { family: 'inet', table: 'knock' } as const
const DOCUMENT: NftDocument = {
  nftables: [
    { add: { element: { ...inet, name: 'tokens1_ssh', elem: [TOKEN] } } },
    { add: { element: { ...inet, name: 'steps_ssh', elem: [PORTS[0], PORTS[1]] } } },
    { add: { element: { ...inet, name: 'grants_ssh_4', elem: [SOURCE] } } },
    {
      add: {
        rule: {
          ...inet,
          chain: 'knocks',
          comment: 'ssh /doors/0/knock/steps/0',
          expr: [
            {
              match: {
                op: '==',
                left: { payload: { protocol: 'tcp', field: 'dport' } },
                right: PORTS[2],
              },
            },
          ],
        },
      },
    },
  ],
}
const OUTLINE =
  '1 add element tokens1_ssh (1), 1 add element steps_ssh (2), ' +
  '1 add element grants_ssh_4 (1), 1 add rule'

const secretsIn = (text: string): string[] => SECRETS.filter((secret) => text.includes(secret))

const FULL = 'internal:0:0-0: Error: Could not process rule: Too many open files in system'

const ENDS: readonly (readonly [script: string, end: string])[] = [
  ['cat >/dev/null', 'done'],
  ['cat >&2; kill -KILL $$', 'ended by SIGKILL'],
  ['cat >&2; kill -SEGV $$', 'ended by SIGSEGV'],
  // A shell in place of nft reports a signal by its exit code.
  ['cat >&2; exit 137', 'ended by SIGKILL'],
  [`cat >/dev/null; echo '${FULL}' >&2; exit 1`, 'exit code 1'],
  // nft quotes the faulty line, which is the whole document.
  ['echo "/dev/stdin:1:9-9: Error: syntax error" >&2; cat >&2; exit 1', 'exit code 1'],
  ['cat >&2; exit 1', 'exit code 1'],
]

for (const [script, end] of ENDS) {
  t.test(`${script}: ${end}`, async (t) => {
    const nft = nftOf(t, script)
    let error: unknown
    const text = await said(async () => {
      error = await nft.apply(DOCUMENT).catch((failed: unknown) => failed)
    })
    const [line = '', ...rest] = text.split('\n')
    t.equal(line.replace(/\d+\.\d ms$/, 'T'), `knocklib nft: nft -j -f - ${OUTLINE}: ${end} in T`)
    t.same(rest, [''], 'a single line')
    t.same(secretsIn(text), [])
    if (end === 'done') return
    t.type(error, NftError)
    t.same(secretsIn(`${error} ${JSON.stringify(error)}`), [], 'no secrets in the error')
  })
}

t.test('an nft that takes too long, is aborted, or does not exist', async (t) => {
  const slow = nftOf(t, `echo '${TOKEN}' >&2; exec sleep 60`, { timeout: 100 })
  const late = await said(() => slow.apply(DOCUMENT))
  t.match(late, /: timed out in \d{2,5}\.\d ms\n$/)
  const stopped = await said(() => slow.apply(DOCUMENT, { signal: AbortSignal.timeout(20) }))
  t.match(stopped, /: aborted in \d+\.\d ms\n$/)
  const before = await said(() => slow.apply(DOCUMENT, { signal: AbortSignal.abort(TOKEN) }))
  t.match(before, /: failed \(aborted\) in \d+\.\d ms\n$/)
  const none = await said(() => createNft({ binary: '/nonexistent/nft' }).apply(DOCUMENT))
  t.match(none, /: not started \(ENOENT\) in /)
  t.same(secretsIn([late, stopped, before, none].join('')), [])
})

t.test('the line has the code of an error and not its message', async (t) => {
  const failing = (error: unknown) =>
    said(() =>
      debugged(
        () => 'apply',
        () => Promise.reject(error),
      ),
    )
  const message = `nft refused it: ${JSON.stringify(DOCUMENT)}`
  const rows: readonly (readonly [error: unknown, kind: string])[] = [
    [new NftError('rejected', message, { stderr: message }), 'rejected'],
    [new NetlinkError('EMSGSIZE', 'open', message), 'EMSGSIZE'],
    [Object.assign(new Error(message), { code: 'ENOSPC' }), 'ENOSPC'],
    [Object.assign(new Error(message), { code: TOKEN }), 'an error'],
    [Object.assign(new Error(message), { name: TOKEN }), 'an error'],
    [message, 'an error'],
    [undefined, 'an error'],
  ]
  for (const [error, kind] of rows) {
    const text = await failing(error)
    t.match(text, /^knocklib nft: apply: failed \([\w ]+\) in \d+\.\d ms\n$/)
    t.ok(text.includes(`(${kind})`), kind)
  }
})

t.test('through netlink: a full set, and a socket that fails', async (t) => {
  const document: ElementDocument = {
    nftables: [{ add: { element: { ...inet, name: 'grants_ssh_4', elem: [SOURCE] } } }],
  }
  const outline = 'netlink 1 add element grants_ssh_4 (1)'
  const full = fakeOpen((socket) => {
    socket.onSend = ({ last }) => socket.answer(ackOf(last, 23))
  })
  const refused = await said(() => new NetlinkElements(full.open).change(document))
  t.match(refused, `knocklib nft: ${outline}: errno 23 in `)
  const { open, sockets } = fakeOpen()
  const elements = new NetlinkElements(open)
  const lost = await said(async () => {
    const changing = elements.change(document)
    await later()
    const [{ listener }] = sockets as [FakeSocket]
    listener.failed(new NetlinkError('EPIPE', 'netlink', `cannot send ${SOURCE}`))
    await changing
  })
  t.match(lost, `knocklib nft: ${outline}: failed (EPIPE) in `)
  t.same(secretsIn(refused + lost), [])
})
