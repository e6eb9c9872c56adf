// Command lines for a login shell → what nft gets there, in the shells that this machine has.
import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import t from 'tap'
import { runRemotely, sinceStart } from './remote-command.js'

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
