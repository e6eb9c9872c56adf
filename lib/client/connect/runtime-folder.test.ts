// The folder of locks and notes: made for its user alone, and none that another user could change.
import { chmod, chown, lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runtimeFolder } from './runtime-folder.js'

const UID = process.getuid?.()
const NOBODY = 65534

async function folders(t: Test): Promise<{ runtime: string; temporary: string; own: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'knl-run-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const [runtime, temporary] = [join(folder, 'run'), join(folder, 'tmp')]
  await mkdir(runtime, { mode: 0o700 })
  await mkdir(temporary)
  await chmod(temporary, 0o1777)
  return { runtime, temporary, own: join(temporary, `knocklib-${UID}`) }
}

t.test('in the runtime folder, if it is the user’s alone', async (t) => {
  const { runtime, temporary, own } = await folders(t)
  const env = { XDG_RUNTIME_DIR: runtime }
  const folder = await runtimeFolder(env, temporary)
  t.equal(folder, join(runtime, 'knocklib'))
  t.equal((await lstat(folder as string)).mode & 0o777, 0o700)
  t.equal(await runtimeFolder(env, temporary), folder, 'again')
  await chmod(runtime, 0o755)
  t.equal(await runtimeFolder(env, temporary), own, 'others can read it')
  t.equal((await lstat(own)).mode & 0o777, 0o700)
  for (const runtime of [undefined, '', 'relative', '/nonexistent']) {
    t.equal(await runtimeFolder({ XDG_RUNTIME_DIR: runtime }, temporary), own, String(runtime))
  }
})

t.test('none that is no folder of its own', async (t) => {
  const { temporary, own } = await folders(t)
  const find = () => runtimeFolder({}, temporary)
  const elsewhere = join(temporary, 'elsewhere')
  await mkdir(elsewhere, { mode: 0o700 })
  await symlink(elsewhere, own)
  t.equal(await find(), undefined, 'a link')
  await rm(own)
  await writeFile(own, '')
  t.equal(await find(), undefined, 'a file')
  await rm(own)
  await mkdir(own)
  await chmod(own, 0o750)
  t.equal(await find(), undefined, 'others can read it')
  await chmod(own, 0o700)
  t.equal(await find(), own)
  await chmod(temporary, 0o777)
  t.equal(await find(), undefined, 'others can put another one in its place')
  await chmod(temporary, 0o755)
  t.equal(await find(), own)
  t.equal(await runtimeFolder({}, join(temporary, 'x'.repeat(90))), undefined, 'too long a path')
  t.equal(await runtimeFolder({}, join(temporary, 'nosuch')), undefined)
})

t.test('none of another user', { skip: UID === 0 ? false : 'not root' }, async (t) => {
  const { runtime, temporary, own } = await folders(t)
  await chown(runtime, NOBODY, NOBODY)
  t.equal(await runtimeFolder({ XDG_RUNTIME_DIR: runtime }, temporary), own)
  await chown(own, NOBODY, NOBODY)
  t.equal(await runtimeFolder({}, temporary), undefined)
  await rm(own, { recursive: true })
  await chown(temporary, NOBODY, NOBODY)
  t.equal(await runtimeFolder({}, temporary), undefined, 'the owner of what is above')
})
