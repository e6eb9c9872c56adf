// check, install, confirm, refill, save, restore and uninstall on nft's fake: what they change,
// print and end with.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '../../../../integration/fakes/command-line.js'
import { attachKnock, NftError } from '../../../index.js'
import { FakeNft } from '../../../kernel/fake.js'

const knock = { type: 'sequence', steps: ['tcp/7000', 'tcp/7001', 'tcp/7002'] }
const SSH = { name: 'ssh', service: 'tcp/22', knock, open: { for: '10m' } }
const SECRET = 'a secret of sixteen bytes and more'

interface Folder {
  readonly path: (name: string) => string
}

async function folderOf(t: Pick<typeof import('tap').t, 'testdir'>, files = {}): Promise<Folder> {
  const folder = t.testdir({
    'a.json': JSON.stringify({ doors: [SSH] }),
    'wrong.json': JSON.stringify({ doors: [{ ...SSH, service: 'tcp/0' }] }),
    ...files,
  })
  for (const name of ['a.json', ...Object.keys(files)]) await chmod(`${folder}/${name}`, 0o600)
  return { path: (name) => `${folder}/${name}` }
}

const isThere = async (nft: FakeNft): Promise<boolean> =>
  attachKnock({ nft }).then(
    () => true,
    () => false,
  )

t.test('check asks nft and changes nothing', async (t) => {
  const { path } = await folderOf(t)
  const nft = new FakeNft()
  const { code, stdout, stderr } = await runCommand(['check', path('a.json')], { nft })
  t.same([code, stderr], [0, ''])
  t.match(stdout, `${path('a.json')}: valid; nft takes it\n`)
  const json = await runCommand(['check', path('a.json'), '--json', '--strict'], { nft })
  t.match(JSON.parse(json.stdout), { valid: true, nft: 'accepted', warnings: [] })
  t.equal(await isThere(nft), false)
  t.match(await runCommand(['check', path('wrong.json')], { nft }), { code: 2, stdout: '' })
})

/** A spec in a folder that everybody may enter. */
async function shownFile(t: Pick<typeof import('tap').t, 'teardown'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'knocklib-'))
  t.teardown(() => rm(folder, { recursive: true }))
  await chmod(folder, 0o755)
  await writeFile(join(folder, 'a.json'), JSON.stringify({ doors: [SSH] }), { mode: 0o600 })
  return join(folder, 'a.json')
}

t.test('check warns of a spec that others can read, and --strict refuses it', async (t) => {
  const file = await shownFile(t)
  t.match(await runCommand(['check', file]), { code: 0, stderr: '' })
  await chmod(file, 0o666)
  const warned = await runCommand(['check', file])
  t.match(warned, { code: 0, stderr: /^knocklib check: warning: .*(written|read) by other users/ })
  const json = await runCommand(['check', file, '--json'])
  t.equal(json.stderr, '')
  t.match(JSON.parse(json.stdout).warnings, [{ id: /^spec-/ }])
  const strict = await runCommand(['check', file, '--strict'])
  t.match(strict, { code: 2, stdout: '', stderr: file })
})

t.test('check reports why nft was not asked, and how to ask it', async (t) => {
  const { path } = await folderOf(t)
  const failing = (code: 'nft-missing' | 'not-permitted' | 'rejected') =>
    new (class extends FakeNft {
      override async version(): Promise<string> {
        throw new NftError(code, 'checkKnock: a reason')
      }
    })()
  const file = path('a.json')
  const missing = await runCommand(['check', file, '--json'], { nft: failing('nft-missing') })
  t.match(JSON.parse(missing.stdout), { nft: 'not-asked', reason: 'a reason' })
  const { code, stdout } = await runCommand(['check', file], { nft: failing('not-permitted') })
  t.equal(code, 0)
  t.match(stdout, `not asked: a reason; for the rest: sudo knocklib check ${file}\n`)
  t.match(await runCommand(['check', file], { nft: failing('rejected') }), { code: 1 })
})

t.test('install makes the table, and a second install changes nothing', async (t) => {
  const { path } = await folderOf(t)
  const nft = new FakeNft()
  const { code, stdout } = await runCommand(['install', path('a.json')], { nft })
  t.equal(code, 0)
  t.match(stdout, /^table inet knock stands\n {2}ssh: tcp\/22\n/)
  const again = await runCommand(['install', path('a.json'), '--json'], { nft })
  const doors = [{ name: 'ssh', service: ['tcp/22'] }]
  const result = { table: 'knock', doors, changed: false, warnings: [] }
  t.match(JSON.parse(again.stdout), result)
  const other = ['install', path('a.json'), '--table', 'second', '--json']
  t.match(JSON.parse((await runCommand(other, { nft })).stdout), { table: 'second', changed: true })
  t.match(await runCommand(['install', path('none.json')], { nft }), { code: 2, stdout: '' })
})

t.test('install --confirm waits for confirm, and a later confirm is refused', async (t) => {
  const { path } = await folderOf(t)
  let now = 0
  const nft = new FakeNft({ now: () => now })
  const file = path('a.json')
  const { stdout } = await runCommand(['install', file, '--confirm', '60'], { nft })
  t.match(
    stdout,
    'unless confirmed within 60 s the doors fall open: knocklib confirm --table knock',
  )
  t.strictSame(await runCommand(['confirm'], { nft }), {
    code: 0,
    stdout: 'table inet knock is confirmed\n',
    stderr: '',
  })
  t.match(await runCommand(['confirm'], { nft }), { code: 4 })
  const json = await runCommand(['install', file, '--confirm', '1m', '--json'], { nft })
  t.match(JSON.parse(json.stdout), { confirmWithin: '1m' })
  now = 61_000
  t.match(await runCommand(['confirm', '--json'], { nft }), { code: 1, stdout: /timed-out/ })
  const wrong = await runCommand(['install', file, '--confirm', 'x'], { nft })
  t.match(wrong, { code: 2, stderr: /--confirm: expected a duration/ })
})

t.test('save and restore keep grants, and install accepts a state', async (t) => {
  const { path } = await folderOf(t)
  const nft = new FakeNft()
  await runCommand(['install', path('a.json')], { nft })
  await runCommand(['open', 'ssh', '203.0.113.7'], { nft })
  const state = path('state.json')
  t.strictSame(await runCommand(['save', state], { nft }), {
    code: 0,
    stdout: `${state}: 1 grant, 0 bans, 0 tokens, 0 sequences\n`,
    stderr: '',
  })
  const json = await runCommand(['save', state, '--json'], { nft })
  t.match(JSON.parse(json.stdout), { table: 'knock', file: state, grants: 1, bans: 0 })
  const fresh = new FakeNft()
  await runCommand(['install', path('a.json')], { nft: fresh })
  const restored = await runCommand(['restore', state], { nft: fresh })
  t.match(restored, { code: 0, stdout: /^table inet knock: 1 grants, .* restored\n/ })
  const report = await runCommand(['restore', state, '--json'], { nft: fresh })
  t.match(JSON.parse(report.stdout), { table: 'knock', restored: {}, skipped: {} })
  const third = new FakeNft()
  await runCommand(['install', path('a.json'), '--state', state], { nft: third })
  t.equal((await (await attachKnock({ nft: third })).status()).doors[0]?.grants.length, 1)
  const none = await runCommand(['restore', path('none.json')], { nft })
  t.match(none, { code: 2, stderr: /^knocklib restore: .*none\.json: no such file\n$/ })
})

t.test('restore reports what was left out, and which doors are missing', async (t) => {
  const until = new Date(Date.now() + 600_000).toISOString()
  const grant = (door: string, end: string) => ({ door, source: '203.0.113.7', until: end })
  const state = {
    ...{ version: 1, table: 'knock', saved: '2026-11-28T10:00:00.000Z' },
    grants: [grant('web', until), grant('ssh', '2026-11-28T10:00:01.000Z')],
    ...{ bans: [], tokens: [], sequences: [] },
  }
  const { path } = await folderOf(t, { 'state.json': JSON.stringify(state) })
  const nft = new FakeNft()
  await runCommand(['install', path('a.json')], { nft })
  const { stdout } = await runCommand(['restore', path('state.json')], { nft })
  t.match(stdout, /: 0 grants, .* restored\nleft out: .*\nno such door any more: web\n$/)
})

t.test('an unreadable state is reported, and the doors are still installed', async (t) => {
  const { path } = await folderOf(t, { 'state.json': '{"version": 1' })
  const nft = new FakeNft()
  const argv = ['install', path('a.json'), '--state', path('state.json')]
  const { code, stderr } = await runCommand(argv, { nft })
  t.equal(code, 0)
  t.match(stderr, /^knocklib install: grants and bans of before are not put back: /)
  const json = await runCommand([...argv, '--json'], { nft })
  t.match(JSON.parse(json.stdout), { state: { error: /not put back/ } })
})

t.test('refill loads tokens of the installed spec', async (t) => {
  const { path } = await folderOf(t, { 'ana.key': SECRET })
  const users = [{ name: 'ana', secretFile: path('ana.key') }]
  const token = { type: 'token', port: 'udp/6000', period: '30s', horizon: '10m', users }
  const file = path('token.json')
  await writeFile(file, JSON.stringify({ doors: [{ ...SSH, knock: token }] }), { mode: 0o600 })
  const nft = new FakeNft()
  t.match(await runCommand(['refill', file], { nft }), {
    code: 4,
    stderr: /install the spec first/,
  })
  t.match(await runCommand(['install', file], { nft }), { code: 0 })
  t.strictSame(await runCommand(['refill', file], { nft }), {
    code: 0,
    stdout: 'table inet knock is filled anew\n',
    stderr: '',
  })
  const { stdout } = await runCommand(['refill', file, '--json'], { nft })
  t.strictSame(JSON.parse(stdout), { table: 'knock', refilled: true })
})

t.test('uninstall removes the table, and ends with 4 if there is none', async (t) => {
  const { path } = await folderOf(t)
  const nft = new FakeNft()
  await runCommand(['install', path('a.json')], { nft })
  t.strictSame(await runCommand(['uninstall'], { nft }), {
    code: 0,
    stdout: 'table inet knock is gone\n',
    stderr: '',
  })
  t.equal(await isThere(nft), false)
  t.match(await runCommand(['uninstall', '--json'], { nft }), { code: 4, stdout: /not-found/ })
})

t.test('render prints the ruleset, or replaces a file by it', async (t) => {
  const { path } = await folderOf(t)
  const json = await runCommand(['render', path('a.json')])
  t.match(JSON.parse(json.stdout), { nftables: [] })
  const text = await runCommand(['render', path('a.json'), '--format', 'nft'])
  t.match(text.stdout, /^table inet knock \{|^#|table inet knock/m)
  const both = await runCommand(['render', path('a.json'), '--format', 'nft', '--json'])
  t.strictSame(JSON.parse(both.stdout), { format: 'nft', text: text.stdout })
  const file = path('knock.nft')
  const written = await runCommand([
    'render',
    path('a.json'),
    '--format',
    'nft',
    '--keep',
    '--output',
    file,
  ])
  t.strictSame(written, { code: 0, stdout: `${file} written\n`, stderr: '' })
  t.match(await readFile(file, 'utf8'), 'table inet knock')
  const wrong = await runCommand(['render', path('a.json'), '--keep'])
  t.match(wrong, { code: 2, stdout: '', stderr: /--keep changes the text alone/ })
})
