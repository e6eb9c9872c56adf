// How a run of nft ended → the error that says what that means, with all that was known.
import t from 'tap'
import type { NftErrorCode } from '../errors.js'
import type { NftDocument } from '../nft/document.js'
import { type Asked, describeFailure, type Ending } from './failure.js'

const ASKED = { operation: 'installKnock', subject: 'table inet knock' }
const ENDING: Ending = { timedOut: false, isCanceled: false, exitCode: 1, stderr: '' }
const ARGV = ['nft', '-j', '-f', '/dev/fd/0']

const inet = { family: 'inet', table: 'knock' } as const
const DOCUMENT: NftDocument = {
  nftables: [
    { add: { table: { family: 'inet', name: 'knock' } } },
    { add: { rule: { ...inet, chain: 'input', comment: 'ssh /doors/0/knock', expr: [] } } },
    { flush: { chain: { ...inet, name: 'input' } } },
  ],
}

const describe = (ending: Partial<Ending>, asked: Partial<Asked> = {}) =>
  describeFailure({ ...ENDING, ...ending }, ARGV, { ...ASKED, ...asked })

type Row = readonly [ending: Partial<Ending>, code: NftErrorCode, reason: RegExp]

const ROWS: readonly Row[] = [
  [{ timedOut: true, signal: 'SIGTERM' }, 'timed-out', /took too long and was ended$/],
  [{ isCanceled: true, signal: 'SIGTERM' }, 'aborted', /: aborted$/],
  [{ code: 'ENOENT' }, 'nft-missing', /install the package nftables, or name .* KNOCKLIB_NFT/],
  [{ stderr: 'nsenter: failed to execute nft: No such file or directory' }, 'nft-missing', /found/],
  [{ code: 'EACCES' }, 'not-permitted', /may not be executed/],
  [{ signal: 'SIGSEGV' }, 'nft-crashed', /nft crashed \(SIGSEGV\)/],
  [
    { stderr: 'Error: Could not process rule: Operation not permitted' },
    'not-permitted',
    /CAP_NET/,
  ],
  [
    { stderr: 'netlink: Error: cache initialization failed: Operation not permitted' },
    'not-permitted',
    /root/,
  ],
  [{ stderr: 'Operation not permitted (you must be root)' }, 'not-permitted', /root/],
  [
    { stderr: 'nsenter: cannot open /run/netns/x: No such file or directory' },
    'not-found',
    /netns\/x/,
  ],
  [
    { stderr: 'nsenter: reassociate to namespace failed: Invalid argument' },
    'not-found',
    /reassoc/,
  ],
  [{ stderr: 'Error: No such file or directory; did you mean' }, 'not-found', /: not there$/],
  [{ stderr: 'Error: Could not process rule: File exists' }, 'already-exists', /: there already$/],
  [
    { stderr: 'Error: syntax error\nadd foo\n    ^^^' },
    'rejected',
    /refused it: Error: syntax error$/,
  ],
  [{ stderr: undefined }, 'rejected', /refused it: without a word$/],
]

for (const [ending, code, reason] of ROWS) {
  t.test(`${JSON.stringify(ending)}: ${code}`, async (t) => {
    const error = describe(ending)
    t.match(error, { name: 'NftError', code, message: reason })
    t.match(error.message, /^installKnock: table inet knock: /)
    t.same(error.argv, ARGV)
    t.equal(error.stderr, String(ending.stderr ?? '').trim())
    t.equal(error.exitCode, 1)
    t.equal(error.signal, ending.signal)
  })
}

t.test('says that the state is not known where a change was asked for', async (t) => {
  for (const ending of [{ timedOut: true }, { isCanceled: true }]) {
    t.notMatch(describe(ending).message, /not known/)
    const changed = describe(ending, { document: DOCUMENT })
    t.match(changed.message, /whether the change was made is not known$/)
  }
})

t.test('names the part of the spec where nft names the command', async (t) => {
  const stderr = (index: number) =>
    `internal:0:0-0: Error: Parsing command array at index ${index} failed.`
  const origin = (index: number, document?: NftDocument) =>
    describe({ stderr: stderr(index) }, document && { document }).origin
  t.equal(origin(1, DOCUMENT), 'ssh /doors/0/knock')
  t.match(describe({ stderr: stderr(1) }, { document: DOCUMENT }).message, '(ssh /doors/0/knock)')
  for (const index of [0, 2, 99]) t.equal(origin(index, DOCUMENT), undefined, 'nothing is guessed')
  t.equal(origin(1), undefined)
})

t.test('keeps the cause, and has a name for who asks without one', async (t) => {
  const cause = new Error('spawn nft ENOENT')
  const error = describeFailure({ ...ENDING, code: 'ENOENT', cause }, ARGV, { subject: 'nft' })
  t.equal(error.cause, cause)
  t.match(error.message, /^nft: nft: /)
  t.notOk('cause' in describe({}))
})
