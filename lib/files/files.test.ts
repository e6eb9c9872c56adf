// Files that are none: pipes, devices, links, folders; and files that are whole or as they were.
import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import {
  chmod,
  chown,
  lstat,
  open,
  readdir,
  readFile,
  readlink,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readBounded } from './read.js'
import { replaceFile } from './replace.js'
import { readSecret } from './secrets.js'

const OPTIONS = { operation: 'save', what: 'the state', special: 'write' } as const
const READING = { subject: 'load: it', what: 'the state', most: 10 } as const
const SECRET = 'a secret of 20 bytes'

const isRoot = process.geteuid?.() === 0

function mkfifo(t: Test): string {
  const path = join(t.testdir({}), 'pipe')
  execFileSync('mkfifo', ['-m', '600', path])
  return path
}

t.test('a file is replaced atomically, without leftover files', async (t) => {
  const folder = t.testdir({ file: 'before' })
  const path = join(folder, 'file')
  await replaceFile(path, ['a', 'b'], OPTIONS)
  t.equal(await readFile(path, 'utf8'), 'ab')
  t.equal((await lstat(path)).mode & 0o777, 0o600)
  const failing = (function* () {
    yield 'half'
    throw new Error('no more')
  })()
  const message = 'save: %: the state cannot be written: no more'.replace('%', path)
  await t.rejects(replaceFile(path, failing, OPTIONS), { code: 'invalid-argument', message })
  t.equal(await readFile(path, 'utf8'), 'ab')
  t.strictSame(await readdir(folder), ['file'])
  const nowhere = join(folder, 'none', 'file')
  await t.rejects(replaceFile(nowhere, [''], OPTIONS), { message: /there is no directory .*none$/ })
})

t.test('leftover files of a killed process are removed, and no other files', async (t) => {
  const left = 'file.01234567-89ab-cdef-0123-456789abcdef'
  const folder = t.testdir({ [left]: 'half', [`${left}.kept`]: '' })
  const old = new Date(Date.now() - 3_600_000)
  await utimes(join(folder, left), old, old)
  await replaceFile(join(folder, 'file'), ['x'], OPTIONS)
  t.strictSame((await readdir(folder)).sort(), ['file', `${left}.kept`])
})

t.test('a link stays, and its target has the new content', async (t) => {
  const folder = t.testdir({ real: { file: 'before' } })
  const [link, second, target] = ['link', 'second', 'real/file'].map((name) => join(folder, name))
  await symlink('real/file', link as string)
  await symlink('link', second as string)
  await replaceFile(second as string, ['after'], OPTIONS)
  t.equal(await readFile(target as string, 'utf8'), 'after')
  t.equal(await readlink(link as string), 'real/file')
  t.equal(await readlink(second as string), 'link')
  const dangling = join(folder, 'dangling')
  await symlink('real/new', dangling)
  await replaceFile(dangling, ['new'], OPTIONS)
  t.equal(await readFile(join(folder, 'real/new'), 'utf8'), 'new')
  const round = join(folder, 'round')
  await symlink('round', round)
  await t.rejects(replaceFile(round, ['x'], OPTIONS), { code: 'invalid-argument' })
})

t.test('a device stays a device after a write', { skip: !isRoot && 'needs root' }, async (t) => {
  const folder = t.testdir({})
  for (const [name, minor, fails] of [
    ['full', '7', true],
    ['null', '3', false],
  ] as const) {
    const path = join(folder, name)
    execFileSync('mknod', [path, 'c', '1', minor])
    const writing = replaceFile(path, ['x'], OPTIONS)
    await (fails ? t.rejects(writing, { message: /no space left/ }) : t.resolves(writing))
    t.ok((await lstat(path)).isCharacterDevice(), name)
    const refused = replaceFile(path, ['x'], { ...OPTIONS, special: 'refuse' })
    await t.rejects(refused, { message: /expected a file, got a character device$/ })
  }
  t.strictSame((await readdir(folder)).sort(), ['full', 'null'])
})

t.test('a pipe is written to if somebody reads it', async (t) => {
  const path = mkfifo(t)
  await t.rejects(replaceFile(path, ['x'], OPTIONS), { message: /: nobody reads this pipe$/ })
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  await replaceFile(path, ['x', 'y'], OPTIONS)
  t.equal(String(await reader.readFile()), 'xy')
  await reader.close()
  const refused = replaceFile(path, ['x'], { ...OPTIONS, special: 'refuse' })
  await t.rejects(refused, { message: /expected a file, got a pipe$/ })
  t.ok((await lstat(path)).isFIFO())
  await t.rejects(replaceFile(t.testdir({}), ['x'], OPTIONS), { message: /got a directory$/ })
})

t.test("another user's link is not followed", { skip: !isRoot && 'needs root' }, async (t) => {
  const folder = t.testdir({ file: 'before' })
  const link = join(folder, 'link')
  await symlink('file', link)
  execFileSync('chown', ['-h', '12345', link])
  await t.rejects(replaceFile(link, ['x'], OPTIONS), { message: /got a link of user 12345$/ })
  t.equal(await readFile(join(folder, 'file'), 'utf8'), 'before')
})

t.test('only regular files are read, so that no read waits', async (t) => {
  const folder = t.testdir({ file: 'content', long: 'longer than ten' })
  t.equal(String(await readBounded(join(folder, 'file'), READING)), 'content')
  t.equal(await readBounded(join(folder, 'none'), READING), undefined)
  const wrong = (path: string, message: RegExp) =>
    t.rejects(readBounded(path, READING), { code: 'invalid-argument', message })
  await wrong(join(folder, 'long'), /expected the state of at most 10 bytes, got 15$/)
  await wrong(folder, /expected the state as a file, got a directory$/)
  await wrong('/dev/zero', /expected the state as a file, got a character device$/)
  await wrong('/proc/self/mountinfo', /at most 10 bytes, got \d+$/)
  await wrong(join(folder, 'file', 'x'), /the state cannot be read: ENOTDIR/)
  await wrong(mkfifo(t), /expected the state as a file, got a pipe$/)
})

t.test('on Windows a file has neither owner nor mode', async (t) => {
  const path = join(t.testdir({ secret: SECRET }), 'secret')
  // As Node sees every file there.
  await chmod(path, 0o666)
  t.intercept(process, 'platform', { value: 'win32' })
  t.equal(String(await readSecret(path, 'x')), SECRET)
  // A folder cannot be opened there.
  await replaceFile(path, ['whole'], OPTIONS)
  t.equal(await readFile(path, 'utf8'), 'whole')
})

t.test('a secret must be a private file of root or the reader', async (t) => {
  const path = join(t.testdir({ secret: SECRET }), 'secret')
  await chmod(path, 0o600)
  t.equal(String(await readSecret(path, 'x')), SECRET)
  const wrong = (message: RegExp) => t.rejects(readSecret(path, 'x'), { message })
  await chmod(path, 0o640)
  await wrong(/its owner alone can read \(chmod 600\), got mode 640$/)
  await chmod(path, 0o600)
  await writeFile(path, 'x'.repeat(5000))
  await wrong(/expected a secret of at most 4096 bytes, got 5000$/)
  await t.rejects(readSecret(mkfifo(t), 'x'), {
    message: /expected a secret as a file, got a pipe$/,
  })
  await t.rejects(readSecret('/nonexistent', 'x'), {
    message: /cannot be read: ENOENT: no such file or directory$/,
  })
  if (!isRoot) return
  await writeFile(path, SECRET)
  await chown(path, 12345, 0)
  await wrong(/expected a file of root or of whoever reads it, got one of user 12345$/)
})
