// Command lines for a login shell → what nft gets there, in the shells that this machine has.
import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import t, { type Test } from 'tap'
import { NO_FILE } from '../process/hand-over.js'
import { holdRemotely, runRemotely, sinceStart } from './remote-command.js'

const isThere = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0
const SHELLS = ['sh', 'bash', 'dash', 'zsh', 'fish', 'csh', 'tcsh', 'busybox'].filter(isThere)

/** Runs a command line as sshd does: by `-c` of the login shell. */
function run(shell: string, line: string, input = '') {
  const args = shell === 'busybox' ? ['sh', '-c', line] : ['-c', line]
  const { status, stdout, stderr } = spawnSync(shell, args, { input, encoding: 'utf8' })
  return { status, stdout: sinceStart(stdout), stderr: sinceStart(stderr) }
}

const WORDS = ['-j', "it's", '$HOME `id` !! \\', '"', '', '*', 'a;b']

/** Prints each argument, the size of its stdin, and what stands in it. */
const NFT = `printf '[%s]' "$@"; echo; cat; printf '%s' "$LC_ALL $TZ"; exit 7`

for (const shell of SHELLS) {
  t.test(`${shell} hands all words over as they are`, async (t) => {
    const nft = `${t.testdir({ nft: `#!/bin/sh\n${NFT}\n` })}/nft`
    chmodSync(nft, 0o755)
    const words = WORDS.map((word) => `[${word}]`).join('')
    // fish reads \\ as \ also between single quotes. No word that nft is given has one.
    const isFish = shell === 'fish'
    const given = isFish ? WORDS.map((word) => word.replace('\\', '')) : WORDS
    const seen = isFish ? words.replace('\\', '') : words
    const plain = run(shell, runRemotely([nft, ...given]))
    t.strictSame(plain, { status: 7, stdout: `${seen}\nC UTC`, stderr: '' })
    const text = `{"a":"\u00e9'"}`
    const filed = run(shell, runRemotely([nft, ...given], Buffer.byteLength(text)), text)
    t.strictSame(filed, { status: 7, stdout: `${seen}\n${text}C UTC`, stderr: '' })
  })
}

/** Runs a line in a folder whose programs come first. */
function runIn(t: Test, programs: Readonly<Record<string, string>>, line: string, input = '') {
  const folder = t.testdir(programs)
  for (const name of Object.keys(programs)) chmodSync(`${folder}/${name}`, 0o755)
  const env = { ...process.env, PATH: `${folder}:/usr/bin:/bin` }
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { input, env, encoding: 'utf8' })
  return { status, stdout: sinceStart(stdout), stderr: sinceStart(stderr) }
}

t.test('the file has no name, is its owner’s, and is nft’s stdin alone', async (t) => {
  const nft = `#!/bin/sh
    readlink /proc/self/fd/0; stat -L -c %a /proc/self/fd/0; ls /proc/$$/fd | grep -c 3
`
  const { stdout } = runIn(t, { nft }, runRemotely(['nft'], 2), '{}')
  t.match(stdout, /^\S+\/knocklib-\w+ \(deleted\)\n600\n0\n$/)
})

t.test('folders that take no file are passed over', async (t) => {
  const mktemp = (taken: string) =>
    `#!/bin/sh\ncase "$1" in ${taken}) exec /usr/bin/mktemp;; esac; echo "$1" >&2; exit 1\n`
  const nft = '#!/bin/sh\ncat\n'
  const line = runRemotely(['nft'], 2)
  const tried = ['/tmp', '/dev/shm', '/run'].map((folder) => `${folder}/knocklib-XXXXXX\n`)
  const last = runIn(t, { mktemp: mktemp('/run/*'), nft }, line, '{}')
  t.strictSame(last, { status: 0, stdout: '{}', stderr: tried.slice(0, 2).join('') })
  const none = runIn(t, { mktemp: mktemp('none'), nft }, line, '{}')
  t.strictSame(none, { status: 1, stdout: '', stderr: `${tried.join('')}${NO_FILE}\n` })
})

t.test('nft is found in the folders of the system, too', async (t) => {
  const { stdout } = runIn(t, {}, runRemotely(['sh', '-c', 'echo "$PATH"']))
  t.match(stdout, /:\/usr\/bin:\/bin:.*\/usr\/sbin/)
})

t.test('what keeps a connection ends with its stdin', async (t) => {
  const held = spawnSync('sh', ['-c', holdRemotely()], { input: '', timeout: 20_000 })
  t.equal(held.status, 0)
})

t.test('a document that is cut off starts no nft', async (t) => {
  const cut = run('sh', runRemotely(['echo', 'started'], 100), 'a'.repeat(99))
  const stderr = 'knocklib: the document was cut off\n'
  t.strictSame(cut, { status: 1, stdout: '', stderr })
})

t.test('an nft that is missing, may not be run, or crashes, ends with what says so', async (t) => {
  const file = `${t.testdir({ nft: '' })}/nft`
  t.equal(run('sh', runRemotely(['/nonexistent/nft'])).status, 127)
  t.equal(run('sh', runRemotely([file])).status, 126)
  t.equal(run('sh', runRemotely(['sh', '-c', 'kill -SEGV $$'])).status, 139)
})

t.test('what the login shell writes is taken away', async (t) => {
  t.equal(sinceStart('hello\nknocklib: started\n{}\n'), '{}\n')
  t.equal(sinceStart('knocklib: started'), '')
  t.equal(sinceStart('hello'), undefined)
  t.equal(sinceStart('not knocklib: started\n'), undefined)
})

t.test('no document and no secret is in the command line', async (t) => {
  t.notMatch(runRemotely(['nft', '-j', '-f', '/proc/self/fd/0'], 5), /7000/)
})
