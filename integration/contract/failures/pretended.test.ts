// Failures of nft, pretended by a program in its place → a clear error for each: missing, old,
// crashing, slow, lying.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { checkKnock, createNft, installKnock } from '../../../lib/index.js'
import { failureOf, NEW_ENOUGH, pretend, SPEC } from './pretend.js'

t.test('a missing nft is reported', async (t) => {
  const error = await failureOf(installKnock(SPEC, { nft: '/nonexistent/nft' }))
  t.equal(error.code, 'nft-missing')
  t.match(error.message, /not found \(the option nft, "\/nonexistent\/nft"\): correct the option/)
})

t.test('too old an nft is reported', async (t) => {
  const log = join(await mkdtemp(join(tmpdir(), 'knocklib-test-')), 'log')
  t.teardown(() => rm(join(log, '..'), { recursive: true }))
  const nft = await pretend(
    t,
    `echo "$*" >> ${log}
     case "$*" in *--version*) echo "nftables v0.9.8 (E.D.S.)"; exit 0;; esac
     echo "Error: No such file or directory" >&2; exit 1`,
  )
  const error = await failureOf(installKnock(SPEC, { nft }))
  t.equal(error.code, 'nft-too-old')
  t.match(error.message, /nft 0\.9\.8 is too old: 1\.0\.6 or newer/)
  const { stdout } = await run('cat', log)
  t.notMatch(stdout, '-f', 'the old nft got no document')
})

t.test('a crash of nft is reported', async (t) => {
  const nft = await pretend(t, `${NEW_ENOUGH}\nkill -SEGV $$`)
  const error = await failureOf(installKnock(SPEC, { nft }))
  t.equal(error.code, 'nft-crashed')
  t.equal(error.signal, 'SIGSEGV')
  t.match(error.message, /it may be that a newer nft has written tables in this network namespace/)
})

t.test('an nft that was killed is reported', async (t) => {
  for (const [signal, reason] of [
    ['INT', /ended from outside \(SIGINT\); whether the change was made is not known/],
    ['KILL', /memory ran out .*\(SIGKILL\)/],
  ] as const) {
    const nft = await pretend(t, `${NEW_ENOUGH}\nkill -${signal} $$`)
    const error = await failureOf(checkKnock(SPEC, { nft }))
    t.match(error, { code: 'ended', signal: `SIG${signal}`, message: reason })
  }
})

t.test('a timeout of nft is reported', async (t) => {
  const path = await pretend(t, `${NEW_ENOUGH}\nexec sleep 20`)
  const nft = createNft({ binary: path, timeout: 300 })
  const error = await failureOf(checkKnock(SPEC, { nft }))
  t.equal(error.code, 'timed-out')
  t.match(error.message, /took too long and was ended; whether the change was made is not known/)
})

t.test('an abort by the caller ends the call', async (t) => {
  const nft = await pretend(t, `${NEW_ENOUGH}\nexec sleep 20`)
  const error = await failureOf(checkKnock(SPEC, { nft, signal: AbortSignal.timeout(300) }))
  t.equal(error.code, 'aborted')
})

t.test('an nft that does nothing is reported', async (t) => {
  const nft = await pretend(
    t,
    `${NEW_ENOUGH}
     case "$*" in *list*) echo "Error: No such file or directory" >&2; exit 1;; esac
     exit 0`,
  )
  const error = await failureOf(installKnock(SPEC, { nft }))
  t.equal(error.code, 'unverified')
  t.match(error.message, /: nft reported success, but the table is not there: /)
})

t.test('the error has the command that nft cannot read', async (t) => {
  const nft = await pretend(
    t,
    `${NEW_ENOUGH}
     case "$*" in *list*) echo "Error: No such file or directory" >&2; exit 1;; esac
     echo "internal:0:0-0: Error: Parsing command array at index 30 failed." >&2; exit 1`,
  )
  const error = await failureOf(installKnock(SPEC, { nft }))
  t.equal(error.code, 'rejected')
  t.match(error.message, /Parsing command array at index 30 failed/)
  t.match(error.stderr, /index 30/)
  t.equal(error.exitCode, 1)
})

t.test('no sequence is in an argument, and no file stays', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const log = join(folder, 'log')
  const nft = await pretend(
    t,
    `${NEW_ENOUGH}
     case "$*" in *list*) echo "Error: No such file or directory" >&2; exit 1;; esac
     echo "$*" > ${log}; ls -lL /proc/self/fd/0 >> ${log}; readlink /proc/self/fd/0 >> ${log}
     env | grep -E '^(LC_ALL|TZ)=' >> ${log}; cat | wc -c >> ${log}; exit 1`,
  )
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  await failureOf(installKnock(SPEC, { nft }))
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  const { stdout } = await run('cat', log)
  t.match(stdout, '-j -f -')
  t.notMatch(stdout, /7123|8234|9345/)
  t.match(stdout, /socket:/, 'the document has no file name')
  t.match(stdout, /LC_ALL=C/)
  t.match(stdout, /TZ=UTC/)
  t.ok(Number(stdout.trim().split('\n').at(-1)) > 5000, 'the whole document is passed')
  t.strictSame(await readdir(folder), ['log'])
})

async function run(file: string, ...args: string[]): Promise<{ stdout: string }> {
  const { execFile } = await import('node:child_process')
  const { promisify } = await import('node:util')
  return promisify(execFile)(file, args)
}

t.test('the environment names the binary', async (t) => {
  const before = process.env['KNOCKLIB_NFT']
  t.teardown(() => {
    if (before === undefined) delete process.env['KNOCKLIB_NFT']
    else process.env['KNOCKLIB_NFT'] = before
  })
  process.env['KNOCKLIB_NFT'] = await pretend(t, 'echo "nftables v1.2.3 (here)"')
  t.equal(await createNft().version(), '1.2.3')
  const binary = await pretend(t, 'echo "nftables v3.2.1 (there)"')
  t.equal(await createNft({ binary }).version(), '3.2.1', 'an option overrides the environment')
})
