// A state that cannot be read: what is said of it, and where it is kept.
import { chmod, readFile, stat } from 'node:fs/promises'
import t from 'tap'
import { validateSpec } from '../../index.js'
import { loadStateFor, setAside } from './state-file.js'

const spec = (knock: object, table = 'knock') =>
  validateSpec({ table, doors: [{ name: 'ssh', service: 'tcp/22', knock, open: { for: '10m' } }] })
const STEPS = { type: 'sequence', steps: ['tcp/7000'] }
const SEQUENCE = spec(STEPS)
const ONCE = spec({ type: 'sequence', oneTime: [['tcp/7000']] })
const USERS = [{ name: 'ana', secretFile: 'ana.key' }]
const TOKEN = spec({ type: 'token', port: 'udp/6000', period: '30s', users: USERS })

t.test('a broken state is lost, or an error if something works only once', async (t) => {
  const folder = t.testdir({ 'state.json': '{"version": 1' })
  const path = `${folder}/state.json`
  await chmod(path, 0o600)
  const read = await loadStateFor(SEQUENCE, path)
  t.match(read, {
    state: undefined,
    error: /^grants and bans .*state\.json: .*expected JSON/,
    isOthers: false,
  })
  await t.rejects(loadStateFor(ONCE, path), {
    code: 'invalid-state',
    message: /state\.json: (.|\n)*nothing was installed.*work again; restore the file, or move it/,
  })
  await t.rejects(loadStateFor(TOKEN, path), { code: 'invalid-state' })
  t.strictSame(await loadStateFor(ONCE, `${folder}/none.json`), { state: undefined })
})

t.test('a state of another table is reported with both names, and left alone', async (t) => {
  const state = { version: 1, table: 'knock2', saved: '2026-11-28T10:00:00.000Z' }
  const lists = { grants: [], bans: [], tokens: [], sequences: [] }
  const path = `${t.testdir({ 'state.json': JSON.stringify({ ...state, ...lists }) })}/state.json`
  await chmod(path, 0o600)
  const words = new RegExp(
    'state\\.json: /table: expected "knock", the table into which the state is put, ' +
      'got "knock2"; use a state of "knock"',
  )
  t.match(await loadStateFor(SEQUENCE, path), { state: undefined, error: words, isOthers: true })
  await t.rejects(loadStateFor(ONCE, path), { code: 'other-table', message: words })
  const { state: read } = await loadStateFor(spec(STEPS, 'knock2'), path)
  t.equal(read?.table, 'knock2')
})

t.test('a broken state is moved aside, and replaces no file', async (t) => {
  const folder = t.testdir({ 'state.json': 'first' })
  const path = `${folder}/state.json`
  await chmod(path, 0o600)
  t.equal(await setAside(path), `${path}.unreadable`)
  t.equal((await stat(`${path}.unreadable`)).mode & 0o777, 0o600)
  await t.rejects(setAside(path), { message: /state\.json: it cannot be set aside: ENOENT/ })
  t.equal(await readFile(`${path}.unreadable`, 'utf8'), 'first')
})

t.test('a second broken state is kept beside the first', async (t) => {
  const folder = t.testdir({ 'state.json': 'second', 'state.json.unreadable': 'first' })
  const path = `${folder}/state.json`
  t.equal(await setAside(path), `${path}.unreadable.2`)
  t.equal(await readFile(`${path}.unreadable`, 'utf8'), 'first')
  t.equal(await readFile(`${path}.unreadable.2`, 'utf8'), 'second')
})
