// A program in place of ssh → one connection for all calls, and an error for each way to fail.
import { chmodSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { said } from '../../../integration/captures/nft-script.js'
import type { NftDocument } from '../../nft/document.js'
import { createNft } from './create-nft.js'

/** Runs the command here. A master notes that it begins. */
const SSH = `
  echo "$*" >>"$0.asked"
  case "$*" in *'-O check'*) exit 255 ;; esac
  for last; do :; done
  case "$*" in *' -M '*) echo begun >>"$0.masters" ;; esac
  echo "a word of the login shell"; echo "and another" >&2
  exec /bin/sh -c "$last"`

function nftOf(t: Test, script: string, { ssh = SSH, timeout = 20_000 } = {}) {
  const folder = t.testdir({ ssh: `#!/bin/sh\n${ssh}\n`, nft: `#!/bin/sh\n${script}\n` })
  for (const name of ['ssh', 'nft']) chmodSync(`${folder}/${name}`, 0o755)
  const read = (name: string) => readFileSync(`${folder}/${name}`, 'utf8')
  const sshProgram = `${folder}/ssh`
  const nft = createNft({ ssh: 'root@server', sshProgram, binary: `${folder}/nft`, timeout })
  t.teardown(() => nft.close?.())
  return { nft, read }
}

const VERSION = `echo 'nftables v1.0.6 (Lester Gooch #5)'`

t.test('all calls share a connection; after its end the next call makes another', async (t) => {
  const { nft, read } = nftOf(t, `${VERSION}; exit 0`)
  t.equal(nft.host, 'root@server')
  t.equal(nft.netns, undefined, 'nothing here is taken for what is there')
  const versions = await Promise.all(Array.from({ length: 9 }, () => nft.version()))
  t.ok(versions.every((version) => version === '1.0.6'))
  t.equal(read('ssh.masters'), 'begun\n')
  nft.close?.()
  t.equal(await nft.version(), '1.0.6')
  t.equal(read('ssh.masters'), 'begun\nbegun\n')
  t.match(read('ssh.asked'), /^-O check -- root@server$/m)
  t.notMatch(read('ssh.asked'), /^-- /m)
})

t.test('a connection of the user’s own is used', async (t) => {
  const { nft, read } = nftOf(t, VERSION, { ssh: SSH.replace('exit 255', 'exit 0') })
  await nft.version()
  await nft.version()
  t.throws(() => read('ssh.masters'), { code: 'ENOENT' })
})

t.test('a document comes whole, as a file, and is in no argument', async (t) => {
  const { nft, read } = nftOf(t, 'cat "$4" >"$0.got" || cat "$3" >"$0.got"')
  const document: NftDocument = {
    nftables: [{ add: { table: { family: 'inet', name: 'knock' } } }],
  }
  await nft.check(document)
  t.equal(read('nft.got'), JSON.stringify(document))
  t.notMatch(read('ssh.asked'), 'nftables')
})

t.test('nft’s answers are those of an nft here', async (t) => {
  const answers: readonly (readonly [script: string, error: object])[] = [
    ["echo 'Error: No such file or directory' >&2; exit 1", { code: 'not-found' }],
    [
      "echo 'Operation not permitted (you must be root)' >&2; exit 1",
      { code: 'not-permitted', message: /CAP_NET_ADMIN/ },
    ],
    ['kill -SEGV $$', { code: 'nft-crashed' }],
    ['echo "sh: nft: not found" >&2; exit 127', { message: /install .* nftables there/ }],
    ['exit 255', { code: 'ended', message: /root@server: the connection was lost$/ }],
    ['echo no', { name: 'ListingError' }],
  ]
  for (const [script, error] of answers) {
    const { nft } = nftOf(t, script)
    const failed = await nft.list({ table: 'knock', set: 'a' }).catch((thrown) => thrown)
    t.match(failed, error, script)
    nft.close?.()
  }
})

t.test('what the login shell wrote is no part of an answer', async (t) => {
  const { nft } = nftOf(t, `echo '{"nftables":[]}'; exit 0`)
  t.strictSame(await nft.list({ table: 'knock', set: 'a' }), { nftables: [] })
  const failed = nftOf(t, 'echo "Error: a reason" >&2; exit 1').nft
  const failure = await failed.list({ table: 'knock', set: 'a' }).catch((thrown: unknown) => thrown)
  t.match(failure, { stderr: /^Error: a reason$/ })
})

t.test('a change that is cut off may have been made, and the error says so', async (t) => {
  const change: NftDocument = { nftables: [{ add: { table: { family: 'inet', name: 'knock' } } }] }
  const unknown = /; whether the change was made is not known$/
  const after = (script: string) => `case "$*" in *version*) ${VERSION} ;; *) ${script} ;; esac`
  const hung = nftOf(t, after('echo begun >"$0.begun"; exec sleep 30'), { timeout: 3000 })
  await t.rejects(hung.nft.apply(change), { code: 'timed-out', message: unknown })
  t.equal(hung.read('nft.begun'), 'begun\n')
  const lost = nftOf(t, after('exit 255')).nft
  await t.rejects(lost.apply(change), { code: 'ended', message: unknown })
})

t.test('ssh’s own failures', async (t) => {
  const failures: readonly (readonly [script: string, code: string, words: RegExp])[] = [
    ['echo "Host key verification failed." >&2; exit 255', 'host-key', /log in once/],
    ['echo "root@server: Permission denied (publickey)." >&2; exit 255', 'login-refused', /key/],
    [
      'echo "ssh: Could not resolve hostname server: Name or service not known" >&2; exit 255',
      'unreachable',
      /see to the name/,
    ],
    [
      'echo "ssh: connect to host server port 22: Connection timed out" >&2; exit 255',
      'unreachable',
      /knock first/,
    ],
    ['echo "something else" >&2; exit 255', 'unreachable', /ssh says "something else"/],
    ['echo "This account is currently not available."; exit 1', 'login-refused', /shell/],
    ['exit 0', 'login-refused', /exit code 0/],
  ]
  for (const [script, code, message] of failures) {
    const { nft } = nftOf(t, VERSION, { ssh: `case "$*" in *check*) exit 255; esac; ${script}` })
    const call = nft.version({ operation: 'status' })
    await t.rejects(call, { name: 'NftError', code, message }, script)
    await t.rejects(nft.version({ operation: 'status' }), { message: /^status: root@server: / })
  }
  const none = createNft({ ssh: 'server', sshProgram: '/nonexistent/ssh' })
  await t.rejects(none.version(), { code: 'ssh-missing', message: /KNOCKLIB_SSH/ })
})

t.test('KNOCKLIB_SSH names the program, unless an option does', async (t) => {
  const before = process.env['KNOCKLIB_SSH']
  t.teardown(() => {
    if (before === undefined) delete process.env['KNOCKLIB_SSH']
    else process.env['KNOCKLIB_SSH'] = before
  })
  process.env['KNOCKLIB_SSH'] = '/nonexistent/own'
  const missing = { code: 'ssh-missing', message: /\(\/nonexistent\/own: ENOENT\)/ }
  await t.rejects(createNft({ ssh: 'server' }).version(), missing)
  t.equal(await nftOf(t, VERSION).nft.version(), '1.0.6')
})

t.test('time limits and aborts, before and after it is connected', async (t) => {
  const slow = `case "$*" in *check*) exit 255; esac; exec sleep 60`
  const late = nftOf(t, VERSION, { ssh: slow, timeout: 300 }).nft
  await t.rejects(late.version(), { code: 'timed-out', message: /did not connect within 0.3 s$/ })
  const { nft } = nftOf(t, VERSION, { ssh: slow })
  const stopped = nft.version({ signal: AbortSignal.timeout(100) })
  await t.rejects(stopped, { code: 'aborted', message: 'nft: root@server: aborted' })
  const hung = nftOf(t, 'exec sleep 6', { timeout: 3000 }).nft
  const limit = { code: 'timed-out', message: /nft did not answer within 3 s$/ }
  await t.rejects(hung.list({ table: 'knock', set: 'a' }), limit)
  const gone = nftOf(t, 'exec sleep 60').nft
  await t.rejects(gone.version({ signal: AbortSignal.abort() }), { code: 'aborted' })
})

t.test('a line of debugging names the machine', async (t) => {
  const { nft } = nftOf(t, VERSION)
  t.match(await said(() => nft.version()), /^knocklib nft: ssh root@server nft --version: done in /)
})

t.test('options that contradict each other', async (t) => {
  const both = { code: 'invalid-argument', message: /^createNft: expected one of ssh and netns/ }
  t.throws(() => createNft({ ssh: 'server', netns: 'a' }), both)
})
