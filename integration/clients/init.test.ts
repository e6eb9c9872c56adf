// From nothing to a login, by the four commands that `knocklib init` prints: a real OpenSSH, the
// built command, and a profile in a folder of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { build, CLI } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { createPair, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { FAMILIES } from '../setups/service-setup.js'
import { SSHD, startSshd } from '../setups/sshd.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('ssh', 'ssh-keygen', SSHD)
if (!skip) {
  sweep()
  build()
}

const SERVICE = '2222'

for (const users of ['ana', '']) {
  const what = users === '' ? 'one sequence' : 'a token'
  t.test(`init, install, knock, ssh: ${what}`, { skip }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'knocklib-init-'))
    t.teardown(() => rm(folder, { recursive: true }))
    await using pair = await createPair()
    await using server = await startSshd(pair.server, Number(SERVICE))
    // The oldest one knows no tokens.
    const env = { ...process.env, KNOCKLIB_NFT: versions[1]?.path }
    const serve = async (...argv: string[]) => {
      const done = await exec(pair.server, process.execPath, [CLI, ...argv], { env })
      t.equal(done.code, 0, `${argv[0]}: ${done.stderr}`)
      return done.stdout
    }
    const knock = join(folder, 'knock')
    const given = ['--host', SERVER[4], '--service', `tcp/${SERVICE}`, '--users', users]
    t.match(await serve('init', knock, '--door', 'ssh', ...given), /knocklib confirm/)
    const spec = join(knock, 'doors.yaml')
    await serve('check', spec)
    await serve('install', spec, '--confirm', '60s')
    const login = (host: string) =>
      exec(pair.client, 'ssh', [...server.options, `root@${host}`, 'id -un'])
    t.equal((await login(SERVER[4])).code, 255, 'the door is shut before the knock')
    const profile = join(knock, users || 'client', 'ssh.yaml')
    for (const family of FAMILIES) {
      const argv = [CLI, 'knock', SERVER[family], '--profile', profile, '--wait']
      const knocked = await exec(pair.client, process.execPath, argv)
      t.equal(knocked.code, 0, knocked.stdout + knocked.stderr)
      t.match(await login(SERVER[family]), { code: 0, stdout: 'root\n' }, `IPv${family}`)
    }
    await serve('confirm')
  })
}
