// Whose eyes a spec's file is for: by its own mode and by its folders, by what knocks are in it.
import { chmod } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { type ValidSpec, validateSpec } from '../../index.js'
import { findExposure } from './exposed.js'

const specOf = (...knocks: readonly object[]) =>
  validateSpec({
    doors: [{ name: 'ssh', service: 'tcp/22', knock: knocks, open: { for: '30s' } }],
  })

const SEQUENCE = { type: 'sequence', steps: ['tcp/7000', 'tcp/7001'] }
const ONE_TIME = { type: 'sequence', oneTime: [['tcp/7000', 'tcp/7001']] }
const RATE = { type: 'rate', port: 'tcp/7000', hits: 2, min: '3s', max: '5s' }
const RHYTHM = { type: 'rhythm', port: 'tcp/7000', counts: [1, 2], window: '4s' }
const secretFile = '/etc/knock/a.key'
const TOKEN = {
  ...{ type: 'token', port: 'udp/6000', period: '30s', drift: '30s' },
  users: [{ name: 'ana', secretFile }],
}
const ROTATE = {
  type: 'sequence',
  rotate: { secretFile, every: '1h', steps: 4, ports: '20000-60000' },
}

async function found(
  t: Test,
  spec: ValidSpec,
  mode: number,
  folder = 0o755,
): Promise<(string | undefined)[][]> {
  const path = join(t.testdir({ etc: { 'doors.yaml': '' } }), 'etc/doors.yaml')
  await chmod(path, mode)
  await chmod(dirname(path), folder)
  const warnings = await findExposure(path, spec)
  for (const { message } of warnings) {
    t.ok(message.includes(path) && message.includes('chmod 600'), message)
  }
  return warnings.map(({ id, path: place }) => [id, place])
}

const READABLE = ['spec-readable', '/doors/0/knock/0']
const WRITABLE = ['spec-writable', '']

t.test('the mode of a spec decides who can read it', async (t) => {
  const cases: [mode: number, expected: string[][]][] = [
    [0o600, []],
    [0o700, []],
    [0o640, [READABLE]],
    [0o604, [READABLE]],
    [0o644, [READABLE]],
    [0o620, [WRITABLE]],
    [0o602, [WRITABLE]],
    [0o666, [READABLE, WRITABLE]],
  ]
  for (const [mode, expected] of cases) {
    t.same(await found(t, specOf(SEQUENCE), mode), expected, mode.toString(8))
  }
})

t.test('the mode of the folder limits who can read a spec', async (t) => {
  for (const folder of [0o700, 0o744, 0o722])
    t.same(await found(t, specOf(RATE), 0o644, folder), [])
  t.same(await found(t, specOf(RATE), 0o644, 0o711), [READABLE])
  t.same(
    await found(t, specOf(RATE), 0o640, 0o701),
    [READABLE],
    'a member of the group may be another user',
  )
  t.same(await found(t, specOf(RATE), 0o604, 0o710), [])
})

t.test('the content of a spec decides which access is reported', async (t) => {
  for (const knock of [SEQUENCE, ONE_TIME, RATE, RHYTHM]) {
    t.same(await found(t, specOf(knock), 0o644), [READABLE])
  }
  t.same(
    await found(t, specOf(TOKEN), 0o644),
    [],
    'a readable spec with its secret in another file is not reported',
  )
  t.same(await found(t, specOf(ROTATE), 0o644), [])
  t.same(await found(t, specOf(TOKEN, RATE), 0o644), [['spec-readable', '/doors/0/knock/1']])
  t.same(
    await found(t, specOf(TOKEN), 0o646),
    [WRITABLE],
    'a writable spec is reported, because its secret file can be changed',
  )
})

t.test('the address of a post may be a secret', async (t) => {
  const doors = [{ name: 'ssh', service: 'tcp/22', knock: TOKEN, open: { for: '30s' } }]
  const specWith = (does: object) =>
    validateSpec({ doors, actions: [{ on: ['granted'], ...does }] })
  const post = specWith({ post: 'https://hooks.example/a-secret' })
  t.same(await found(t, post, 0o644), [['spec-readable', '/actions/0']])
  t.same(await found(t, post, 0o600), [])
  t.same(await found(t, specWith({ run: ['/bin/true'] }), 0o644), [])
})

t.test('a missing file is not reported', async (t) => {
  t.same(await findExposure('/nonexistent/doors.yaml', specOf(SEQUENCE)), [])
})
