// The ways in which nft can read a document on a machine → the ways that are tried, and the one
// that is remembered. No nft is run.
import { readFileSync, statSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import t from 'tap'
import type { Ending } from './failure.js'
import { CUT_OFF, type Given, HandOver } from './hand-over.js'

const TEXT = '{"nftables":[]}'
const DONE: Ending = { exitCode: 0, stderr: '', timedOut: false, isCanceled: false }
const fails = (stderr: string): Ending => ({ ...DONE, exitCode: 1, stderr })
const cannotOpen = (file: string, why = 'Permission denied') =>
  fails(`internal:0:0-0: Error: Could not open file "${file}": ${why}\n\n\n`)

const wayOf = ({ file, input, descriptor, isPiped }: Given): string => {
  if (input !== undefined) return isPiped ? 'pipe' : 'stdin'
  return descriptor === undefined && file !== '-' ? 'named' : 'file'
}

/** Makes an nft that answers by the way of its document. `ways` has the ways in order. */
function machine(answers: Partial<Record<string, Ending>>) {
  const ways: string[] = []
  const run = async (given: Given) => {
    ways.push(wayOf(given))
    return answers[wayOf(given)] ?? DONE
  }
  return { ways, run }
}

t.test('inherited stdin is tried first, and nothing is opened', async (t) => {
  const { ways, run } = machine({})
  t.equal(await new HandOver().give(TEXT, run), DONE)
  t.strictSame(ways, ['stdin'])
})

t.test('a way that works is remembered, and a way that fails is tried last', async (t) => {
  const { ways, run } = machine({ stdin: cannotOpen('/dev/stdin', 'No such device or address') })
  const handOver = new HandOver()
  await handOver.give(TEXT, run)
  await handOver.give(TEXT, run)
  t.strictSame(ways, ['stdin', 'file', 'file'])
  handOver.expect('newer')
  await handOver.give(TEXT, run)
  t.strictSame(ways.at(-1), 'file', 'a way that worked counts more than the version')
})

t.test('an older version begins with a file', async (t) => {
  const { ways, run } = machine({ file: cannotOpen('/proc/self/fd/0') })
  const handOver = new HandOver()
  handOver.expect('older')
  await handOver.give(TEXT, run)
  t.strictSame(ways, ['file', 'pipe'])
})

t.test('a document that was read and refused is not given again', async (t) => {
  for (const stderr of [
    'internal:0:0-0: Error: Could not process rule: Permission denied',
    'internal:0:0-0: Error: Parsing command array at index 0 failed.',
    'Error: No such file or directory',
    '/dev/stdin:7:1-1: Error: syntax error',
    '',
  ]) {
    const { ways, run } = machine({ stdin: fails(stderr) })
    t.match(await new HandOver().give(TEXT, run), { stderr })
    t.strictSame(ways, ['stdin'])
  }
})

t.test('an nft that keeps stdin for its own language is given a file', async (t) => {
  const misread = "/dev/stdin:1:1-1: Error: syntax error, unexpected '{'"
  const { ways, run } = machine({ stdin: fails(misread) })
  await new HandOver().give(TEXT, run)
  t.strictSame(ways, ['stdin', 'file'])
})

t.test('a document that was cut off does not count as executed', async (t) => {
  const handOver = new HandOver()
  handOver.expect('older')
  const { ways, run } = machine({
    file: cannotOpen('/proc/self/fd/0'),
    pipe: { ...DONE, stderr: `${CUT_OFF}\n` },
  })
  t.equal(await handOver.give(TEXT, run), DONE)
  t.strictSame(ways, ['file', 'pipe', 'stdin'])
})

t.test('if nothing works, each reason is reported once', async (t) => {
  const { ways, run } = machine({
    stdin: cannotOpen('/dev/stdin'),
    file: cannotOpen('/proc/self/fd/0'),
    pipe: cannotOpen('/proc/self/fd/0'),
    named: cannotOpen('/tmp/x'),
  })
  t.strictSame(await new HandOver().give(TEXT, run), {
    reasons: ['/dev/stdin', '/proc/self/fd/0', '/tmp/x'].map(
      (file) => `Could not open file "${file}": Permission denied`,
    ),
  })
  t.strictSame(ways, ['stdin', 'file', 'pipe', 'named'])
})

t.test('without a folder of temporary files', async (t) => {
  const before = process.env['TMPDIR']
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  process.env['TMPDIR'] = '/nonexistent'
  const { ways, run } = machine({ stdin: cannotOpen('/dev/stdin') })
  await new HandOver().give(TEXT, run)
  t.strictSame(ways, ['stdin', 'pipe'])
  const none = machine({ stdin: cannotOpen('/dev/stdin'), pipe: { ...DONE, code: 'ENOENT' } })
  const { reasons } = (await new HandOver().give(TEXT, none.run)) as { reasons: string[] }
  t.match(reasons.join('; '), /no such file .*\/nonexistent\/.*no \/bin\/sh/)
})

t.test('no other user can read the files, and they are removed afterwards', async (t) => {
  const ours = async () => (await readdir(tmpdir())).filter((name) => /^knocklib-/.test(name))
  const before = await ours()
  const seen: string[] = []
  const handOver = new HandOver()
  await handOver.give(TEXT, async (given) => {
    const way = wayOf(given)
    seen.push(way)
    if (way === 'stdin' || way === 'pipe') return cannotOpen('/dev/stdin')
    const file = given.descriptor ?? given.file
    const path = given.descriptor === undefined ? given.file : `/proc/self/fd/${given.descriptor}`
    t.equal(readFileSync(path, 'utf8'), TEXT, way)
    t.equal(statSync(path).mode & 0o777, 0o600, `${way}: ${file}`)
    if (way === 'named') return DONE
    t.equal(statSync(path).nlink, 0, 'it has no name')
    return cannotOpen(given.file)
  })
  t.strictSame(seen, ['stdin', 'file', 'pipe', 'named'])
  const left = (await ours()).filter((name) => !before.includes(name))
  for (const name of left)
    t.not(await readFile(`${tmpdir()}/${name}/document`, 'utf8').catch(() => ''), TEXT)
})

t.test('an error that no other way can avoid is reported', async (t) => {
  const none = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
  const giving = new HandOver().give(TEXT, () => Promise.reject(none))
  await t.rejects(giving, none)
})

t.test('a script is given only as a whole file', async (t) => {
  const { ways, run } = machine({ file: cannotOpen('/proc/self/fd/0') })
  const handOver = new HandOver()
  t.equal(await handOver.give('add table inet t\n', run, 'script'), DONE)
  t.strictSame(ways, ['file', 'named'])
  const none = machine({ file: cannotOpen('/proc/self/fd/0'), named: cannotOpen('/tmp/x') })
  const done = await new HandOver().give('add table inet t\n', none.run, 'script')
  t.ok('reasons' in done)
  t.strictSame(none.ways, ['file', 'named'], 'no pipe, in which it could be cut off')
})
