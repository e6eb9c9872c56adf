// The end of a run of nft → the error, with its code, message and details.
import t from 'tap'
import type { NftError, NftErrorCode } from '../../errors.js'
import type { NftDocument } from '../../nft/document.js'
import { chooseBinary } from './binary.js'
import { type Asked, asksWhatIsThere, describeFailure, type Ending, type Place } from './failure.js'

const ASKED = { operation: 'installKnock', subject: 'table inet knock' }
const ENDING: Ending = { timedOut: false, isCanceled: false, exitCode: 1, stderr: '' }
const ARGV = ['nft', '-j', '-f', '-']
const PLACE: Place = { argv: ARGV, binary: chooseBinary(undefined) }

const inet = { family: 'inet', table: 'knock' } as const
const DOCUMENT: NftDocument = {
  nftables: [
    { add: { table: { family: 'inet', name: 'knock' } } },
    { add: { rule: { ...inet, chain: 'input', comment: 'ssh /doors/0/knock', expr: [] } } },
    { flush: { chain: { ...inet, name: 'input' } } },
  ],
}

/** Returns the error as an NftError, whose fields are undefined for a CapabilityError. */
const describe = (ending: Partial<Ending>, asked: Partial<Asked> = {}, place = PLACE) =>
  describeFailure({ ...ENDING, ...ending }, place, { ...ASKED, ...asked }) as NftError

type Row = readonly [ending: Partial<Ending>, code: NftErrorCode, reason: RegExp]

const NOTHING = 'Error: No such file or directory'
const NO_RULE = 'internal:0:0-0: Error: Could not process rule: No such file or directory'

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
  [{ stderr: `${NOTHING}; did you mean` }, 'not-found', /: not there$/],
  [{ stderr: `${NOTHING}\nlist table inet no\n   ^^` }, 'not-found', /: not there$/],
  [
    { stderr: 'nft: error while loading libnftables.so.1: No such file or directory' },
    'rejected',
    /refused it: nft: error while loading/,
  ],
  [{ exitCode: 127, stderr: 'x: not found' }, 'nft-missing', /cannot be run .*x: not found/],
  [{ isMaxBuffer: true, signal: 'SIGTERM' }, 'ended', /answer is longer than 512 MiB/],
  [{ signal: 'SIGINT' }, 'ended', /ended from outside \(SIGINT\)$/],
  [{ signal: 'SIGTERM' }, 'ended', /ended from outside \(SIGTERM\)$/],
  [{ signal: 'SIGKILL' }, 'ended', /because memory ran out .* \(SIGKILL\)$/],
  [{ signal: 'SIGABRT' }, 'nft-crashed', /nft crashed \(SIGABRT\)/],
  [{ signal: 'SIGBUS' }, 'nft-crashed', /nft crashed \(SIGBUS\)/],
  [{ stderr: 'Error: Could not process rule: File exists' }, 'already-exists', /: there already$/],
  [
    { stderr: 'Error: syntax error\nadd foo\n    ^^^' },
    'rejected',
    /refused it: Error: syntax error$/,
  ],
  [
    { stderr: 'Error: Could not process rule: Too many open files in system' },
    'rejected',
    /: a set is full; guard.capacity in the spec is its size$/,
  ],
  [{ stderr: undefined }, 'rejected', /refused it: it gave no reason$/],
]

for (const [ending, code, reason] of ROWS) {
  t.test(`${JSON.stringify(ending)}: ${code}`, async (t) => {
    const error = describe(ending)
    t.match(error, { name: 'NftError', code, message: reason })
    t.match(error.message, /^installKnock: table inet knock: /)
    t.same(error.argv, ARGV)
    t.equal(error.stderr, String(ending.stderr ?? '').trim())
    t.equal(error.exitCode, ending.exitCode ?? 1)
    t.equal(error.signal, ending.signal)
  })
}

t.test('after an interrupted change the state is not known', async (t) => {
  for (const ending of [{ timedOut: true }, { isCanceled: true }]) {
    t.notMatch(describe(ending).message, /not known/)
    const changed = describe(ending, { document: DOCUMENT })
    t.match(changed.message, /whether the change was made is not known$/)
  }
})

t.test('names the part of the spec if nft names the command', async (t) => {
  const stderr = (index: number) =>
    `internal:0:0-0: Error: Parsing command array at index ${index} failed.`
  const origin = (index: number, document?: NftDocument) =>
    describe({ stderr: stderr(index) }, document && { document }).origin
  t.equal(origin(1, DOCUMENT), 'ssh /doors/0/knock')
  t.match(describe({ stderr: stderr(1) }, { document: DOCUMENT }).message, '(ssh /doors/0/knock)')
  for (const index of [0, 2, 99]) t.equal(origin(index, DOCUMENT), undefined, 'nothing is guessed')
  t.equal(origin(1), undefined)
})

t.test('keeps the cause, and begins with nft if the call has no name', async (t) => {
  const cause = new Error('spawn nft ENOENT')
  const error = describeFailure({ ...ENDING, code: 'ENOENT', cause }, PLACE, { subject: 'nft' })
  t.equal(error.cause, cause)
  t.match(error.message, /^nft: nft: /)
  t.notOk('cause' in describe({}))
})

t.test("a shell in place of nft reports a signal's number", async (t) => {
  t.match(describe({ exitCode: 139 }), { code: 'nft-crashed', signal: 'SIGSEGV' })
  t.match(describe({ exitCode: 130 }), { code: 'ended', signal: 'SIGINT' })
  t.match(describe({ exitCode: 137, stderr: 'Killed' }), { code: 'ended', signal: 'SIGKILL' })
})

t.test('something that the machine lacks is a CapabilityError', async (t) => {
  const lacks = (ending: Partial<Ending>, message: RegExp, asked: Partial<Asked> = {}) => {
    const netns = 'blue'
    const place = { ...PLACE, argv: ['nsenter', ...ARGV], netns }
    const error = describe(ending, asked, place)
    t.match(error, { name: 'CapabilityError', code: 'missing-capability', message })
    t.match(error.message, /^installKnock: table inet knock: /)
  }
  lacks({ stderr: 'Error: JSON support not compiled-in' }, /nft has no JSON: .*nftables-json/)
  const unsupported = 'internal:0:0-0: Error: Could not process rule: Operation not supported'
  // nft continues after the first error, and then misses what it could not make.
  const text = `${unsupported}\n\n\ninternal:0:0-0: ${NOTHING}; did you mean obj`
  lacks({ stderr: text }, /nft says "internal.*Operation not supported"/, { document: DOCUMENT })
  lacks({ stderr: NO_RULE }, /No such file or directory": a module/, { document: DOCUMENT })
  lacks({ stderr: 'cache initialization failed: Protocol not supported' }, /modprobe nf_tables/)
  lacks({ code: 'EMFILE', exitCode: undefined }, /cannot be started \(EMFILE\): .*LimitNOFILE/)
  lacks({ code: 'EAGAIN', exitCode: undefined }, /TasksMax/)
  lacks({ code: 'ENOENT', exitCode: undefined }, /nsenter was not found: .*util-linux/)
  const gone = 'nsenter: cannot open /run/netns/blue: No such file or directory'
  lacks({ stderr: gone }, /network namespace blue: .*ip netns list/)
  lacks({ stderr: 'nsenter: reassociate to namespace failed: Invalid argument' }, /reassociate/)
})

t.test('a change that needs something missing', async (t) => {
  const element = { add: { element: { ...inet, name: 'grants_ssh_4', elem: ['192.0.2.1'] } } }
  const [, rule] = DOCUMENT.nftables as [unknown, NftDocument['nftables'][number]]
  const ofElements = { document: { nftables: [element] } }
  const ofRules = { document: { nftables: [element, rule] } }
  const ending = { stderr: NO_RULE }
  t.ok(asksWhatIsThere({ ...ENDING, ...ending }, { ...ASKED, ...ofElements }))
  t.notOk(
    asksWhatIsThere({ ...ENDING, ...ending }, { ...ASKED, document: DOCUMENT }),
    'it makes it',
  )
  t.notOk(asksWhatIsThere(ENDING, { ...ASKED, ...ofElements }))
  for (const document of [ofElements, ofRules]) {
    const error = describe(ending, { ...document, absent: 'table' })
    t.match(error, { code: 'not-found', message: /: not there$/ })
  }
  const error = describe(ending, { ...ofRules, absent: 'part' })
  t.match(error, { code: 'not-found', message: /something that it names is not there: internal/ })
  const lack = describe(ending, { ...ofRules, absent: 'nothing' })
  t.match(lack, { code: 'missing-capability', message: /a module of nf_tables may be missing/ })
})

t.test('a missing nft is reported with what chose it', async (t) => {
  const binary = chooseBinary('/opt/nft')
  const { message } = describe({ code: 'ENOENT', exitCode: undefined }, {}, { ...PLACE, binary })
  t.match(message, /nft was not found \(the option nft, "\/opt\/nft"\): correct the option/)
})
