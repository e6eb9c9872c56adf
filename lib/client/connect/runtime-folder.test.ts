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

t.test('the folder is in the runtime folder if that is private', async (t) => {
  const { runtime, temporary, own } = await folders(t)
  const env = { XDG_RUNTIME_DIR: runtime }
  const folder = await runtimeFolder(env, temporary)
  t.equal(folder, join(runtime, 'knocklib'))
  t.equal((await lstat(folder as string)).mode & 0o777, 0o700)
  t.equal(await runtimeFolder(env, temporary), folder, 'the second call finds the same folder')
  await chmod(runtime, 0o755)
  t.equal(
    await runtimeFolder(env, temporary),
    own,
    'a runtime folder that others can read is not used',
  )
  t.equal((await lstat(own)).mode & 0o777, 0o700)
  for (const runtime of [undefined, '', 'relative', '/nonexistent']) {
    t.equal(await runtimeFolder({ XDG_RUNTIME_DIR: runtime }, temporary), own, String(runtime))
  }
})

t.test('a path that is not a private folder is not used', async (t) => {
  const { temporary, own } = await folders(t)
  const find = () => runtimeFolder({}, temporary)
  const elsewhere = join(temporary, 'elsewhere')
  await mkdir(elsewhere, { mode: 0o700 })
  await symlink(elsewhere, own)
  t.equal(await find(), undefined, 'a link is not used')
  await rm(own)
  await writeFile(own, '')
  t.equal(await find(), undefined, 'a file is not used')
  await rm(own)
  await mkdir(own)
  await chmod(own, 0o750)
  t.equal(await find(), undefined, 'a folder that others can read is not used')
  await chmod(own, 0o700)
  t.equal(await find(), own)
  await chmod(temporary, 0o777)
  t.equal(await find(), undefined, 'a folder whose parent others can write is not used')
  await chmod(temporary, 0o755)
  t.equal(await find(), own)
  t.equal(
    await runtimeFolder({}, join(temporary, 'x'.repeat(90))),
    undefined,
    'too long a path is not used',
  )
  t.equal(await runtimeFolder({}, join(temporary, 'nosuch')), undefined)
})

t.test('another user’s folder is not used', { skip: UID === 0 ? false : 'not root' }, async (t) => {
  const { runtime, temporary, own } = await folders(t)
  await chown(runtime, NOBODY, NOBODY)
  t.equal(await runtimeFolder({ XDG_RUNTIME_DIR: runtime }, temporary), own)
  await chown(own, NOBODY, NOBODY)
  t.equal(await runtimeFolder({}, temporary), undefined)
  await rm(own, { recursive: true })
  await chown(temporary, NOBODY, NOBODY)
  t.equal(
    await runtimeFolder({}, temporary),
    undefined,
    'a folder in a folder of another user is not used',
  )
})
