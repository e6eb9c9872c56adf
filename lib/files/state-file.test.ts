// States in files: whole or as they were, their owner's alone, and refused where they are not what
// was written.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { KnockState } from '../spec/generated/state-types.js'
import { loadState, saveState } from './state-file.js'

const STATE: KnockState = {
  version: 1,
  table: 'knock',
  saved: '2026-11-21T10:00:00.000Z',
  grants: [{ door: 'ssh', source: '203.0.113.7', until: '2026-11-21T10:00:25.000Z', used: 1 }],
  bans: [{ source: '2001:db8::7', until: '2026-11-21T10:10:00.000Z' }],
  tokens: [],
  sequences: [{ door: 'ssh', digest: '0123456789ab' }],
}
const bans = (count: number): KnockState => ({
  ...STATE,
  bans: Array.from({ length: count }, (_, index) => ({
    source: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    until: '2026-11-21T10:10:00.000Z',
  })),
})

const fileIn = (t: Test, files: Record<string, string> = {}): string =>
  `${t.testdir(files)}/state.json`

t.test('a duplicate key in a state is refused', async (t) => {
  const folder = t.testdir({ state: '{"table": "knock", "table": "other"}' })
  await chmod(`${folder}/state`, 0o600)
  await t.rejects(loadState(`${folder}/state`), {
    code: 'invalid-state',
    message: /\/table: expected each key once, "table" is there twice at line 1, column 20$/,
  })
})

t.test('a state is written and read back', async (t) => {
  const file = fileIn(t)
  t.equal(await loadState(file), undefined, 'a missing file is no state')
  await saveState(file, STATE)
  t.strictSame(await loadState(file), STATE)
  t.equal((await stat(file)).mode & 0o7777, 0o600)
  t.match(
    await readFile(file, 'utf8'),
    /^\{"door":"ssh","source":"203\.0\.113\.7"/m,
    'each grant has its own line',
  )
  await saveState(file, bans(12_345))
  t.strictSame(await loadState(file), bans(12_345))
  await saveState(file, { ...STATE, grants: [], bans: [] })
  t.strictSame(await loadState(file), { ...STATE, grants: [], bans: [] })
  t.strictSame(await readdir(file.slice(0, -'/state.json'.length)), ['state.json'])
})

t.test('a state file is private to its owner, whatever was there before', async (t) => {
  const folder = t.testdir({ 'state.json': 'old', elsewhere: 'old' })
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))
  await chmod(`${folder}/state.json`, 0o666)
  await saveState(`${folder}/state.json`, STATE)
  t.equal((await stat(`${folder}/state.json`)).mode & 0o7777, 0o600)
  await symlink('elsewhere', `${folder}/link.json`)
  await saveState(`${folder}/link.json`, STATE)
  t.ok((await lstat(`${folder}/link.json`)).isSymbolicLink(), 'a link stays a link')
  t.strictSame(await loadState(`${folder}/elsewhere`), STATE, 'the target of the link is replaced')
  t.strictSame(await loadState(`${folder}/link.json`), STATE)
})

t.test('a failed write changes nothing', async (t) => {
  const folder = t.testdir({ 'state.json': 'old' })
  const wrong = { ...STATE, grants: [{ door: '9', source: 'x', until: '' }] }
  await t.rejects(saveState(`${folder}/state.json`, wrong), {
    code: 'invalid-state',
    message: /^saveState: \/grants\/0\/door: expected a name .*\n {2}\/grants\/0\/source: /,
  })
  await t.rejects(saveState(`${folder}/nosuch/state.json`, STATE), {
    code: 'invalid-argument',
    message: /nosuch\/state\.json: the state cannot be written: there is no directory \S+\/nosuch$/,
  })
  await mkdir(`${folder}/folder`)
  await t.rejects(saveState(`${folder}/folder`, STATE), {
    code: 'invalid-argument',
    message: /folder: the state cannot be written: expected a file, got a directory$/,
  })
  t.equal(await readFile(`${folder}/state.json`, 'utf8'), 'old')
  t.strictSame((await readdir(folder)).sort(), ['folder', 'state.json'])
})

t.test('leftover files of a killed process are removed, and no other files', async (t) => {
  const left = '0b8f1a52-6c1e-4d0a-9f3e-0123456789ab'
  const names = [
    ...[`state.json.${left}`, `state.json.${left.replace('0b', '0c')}`],
    ...[`other.json.${left}`, `state.json.${left}.bak`, 'state.json.old'],
  ]
  const folder = t.testdir(Object.fromEntries(names.map((name) => [name, 'x'])))
  const hourAgo = Date.now() / 1000 - 3600
  for (const name of names.filter((_, index) => index !== 1)) {
    await utimes(`${folder}/${name}`, hourAgo, hourAgo)
  }
  await saveState(`${folder}/state.json`, STATE)
  const expected = [...names.slice(1), 'state.json'].sort()
  t.strictSame(
    (await readdir(folder)).sort(),
    expected,
    'a new file stays, because it may be in use',
  )
})

t.test('an invalid state and one that others can write are refused', async (t) => {
  const file = fileIn(t)
  const refuses = async (text: string, expected: object, mode = 0o600) => {
    await writeFile(file, text)
    await chmod(file, mode)
    const error = await loadState(file).catch((error: unknown) => error)
    t.match(error, expected, JSON.stringify(text.slice(0, 40)))
  }
  const text = JSON.stringify(STATE)
  const notJson = { code: 'invalid-state', message: /state\.json: \/: expected JSON: / }
  for (const cut of [0, 1, 50, text.length - 1]) await refuses(text.slice(0, cut), notJson)
  await refuses('\0'.repeat(4096), notJson)
  await refuses('{"version":1}', { problems: [{ path: '/table' }, { path: '/saved' }] })
  await refuses(text.replace('203.0.113.7', 'localhost'), {
    problems: [{ path: '/grants/0/source' }],
  })
  await refuses(text.replace('"grants"', '"grant"'), {
    problems: [{ path: '/grant' }, { path: '/grants' }],
  })
  const others = { code: 'invalid-argument', message: /its owner alone can write .* got mode 6/ }
  await refuses(text, others, 0o620)
  await refuses(text, others, 0o602)
  await writeFile(file, text)
  await chmod(file, 0o644)
  t.strictSame(await loadState(file), STATE, 'a state that others can read is accepted')
  await t.rejects(loadState(file.slice(0, -'/state.json'.length)), {
    message: /expected the state as a file, got a directory$/,
  })
  await t.rejects(loadState(`${file}/more`), { message: /the state cannot be read: ENOTDIR/ })
})

t.test('a process killed at any moment leaves the old state or the new one', async (t) => {
  const folder = t.testdir()
  const file = `${folder}/state.json`
  const module = fileURLToPath(new URL('state-file.ts', import.meta.url))
  const code = `
    const { saveState } = await import(${JSON.stringify(module)})
    const state = ${JSON.stringify(STATE)}
    const bans = (count) => ({ ...state, bans: Array.from({ length: count }, (_, index) => ({
      source: '10.0.' + (index >> 8) + '.' + (index & 255), until: '2026-11-21T10:10:00.000Z' })) })
    const states = [bans(4000), bans(2000)]
    for (let index = 0; ; index += 1) {
      await saveState(${JSON.stringify(file)}, states[index % 2])
      if (index === 1) console.log('ready')
    }`
  await saveState(file, bans(2000))
  for (const delay of [0, 7, 23]) {
    const child = spawn(
      process.execPath,
      [...process.execArgv, '--input-type=module', '-e', code],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, delay))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const state = await loadState(file)
    t.ok(
      [2000, 4000].includes(state?.bans.length ?? 0),
      `the state is complete when killed after ${delay} ms`,
    )
  }
})
