// A profile's document → what it means, or every problem; and its file.
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ProfileError } from '../errors.js'
import { loadProfile } from './load-profile.js'
import { readProfile } from './profile.js'

const FILES = {
  'whole.json': '{"$schema": "x", "steps": ["tcp/7000", {"protocol": "icmp"}], "gap": "200ms"}',
  'short.yaml': 'steps:\n  - 7000\n  - 8000:udp\n',
  'list.json': '["tcp/7000"]',
  'null.json': 'null',
  'empty.json': '{}',
  'none.json': '{"steps": []}',
  'text.json': '{"steps": "tcp/7000"}',
  'key.json': '{"steps": ["tcp/7000"], "gaps": "1s"}',
  'gap.json': '{"steps": ["tcp/7000"], "gap": 5}',
  'step.json': '{"steps": ["tcp/7000", "tcp/0"]}',
  'broken.json': '{',
}

t.test('profiles in JSON and YAML are read', async (t) => {
  const folder = t.testdir(FILES)
  t.match(await loadProfile(join(folder, 'whole.json')), {
    steps: ['tcp/7000', { protocol: 'icmp' }],
    gap: '200ms',
  })
  t.same(await loadProfile(join(folder, 'short.yaml')), { steps: [7000, '8000:udp'] })
})

t.test('a profile with a secret must be private to its owner', async (t) => {
  const token = 'token: { door: ssh, port: udp/6000, secret: sixteen bytes or more }'
  const folder = t.testdir({
    'one.yaml': token,
    'all.yaml': `doors: { ssh: { ${token} } }`,
    'other.yaml': token.replace(/secret: .*/, 'secretFile: key }'),
  })
  const message = /one\.yaml: expected a profile with a secret that its owner alone can read/
  for (const name of ['one.yaml', 'all.yaml', 'other.yaml']) {
    await chmod(join(folder, name), 0o600)
    t.ok(await loadProfile(join(folder, name)), name)
    await chmod(join(folder, name), 0o644)
  }
  await t.rejects(loadProfile(join(folder, 'one.yaml')), { code: 'invalid-argument', message })
  await t.rejects(loadProfile(join(folder, 'all.yaml')), { message: /got mode 644$/ })
  t.ok(await loadProfile(join(folder, 'other.yaml')))
})

t.test('a problem is reported with its place', async (t) => {
  const folder = t.testdir(FILES)
  const kinds = 'steps, oneTime, rotate, token, rate or rhythm'
  const wrong = {
    'list.json': new RegExp(`list\\.json: /: expected an object with ${kinds}`),
    'null.json': new RegExp(`null\\.json: /: expected an object with ${kinds}`),
    'empty.json': /empty\.json: \/steps: expected a list of steps, or oneTime, .* got nothing/,
    'none.json': /none\.json: \/steps: expected a list of steps, got \[\]/,
    'text.json': /text\.json: \/steps: expected a list of steps/,
    'key.json': /key\.json: \/gaps: expected no such key/,
    'gap.json': /gap\.json: \/gap: expected a pause/,
    'step.json': /step\.json: \/steps\/1: .* got "tcp\/0"/,
    'nosuch.json': /nosuch\.json: ENOENT/,
  }
  for (const [name, message] of Object.entries(wrong)) {
    await t.rejects(loadProfile(join(folder, name)), { code: 'invalid-argument', message }, name)
  }
  await t.rejects(loadProfile(join(folder, 'broken.json')), { code: 'invalid-document' })
})

const token = { door: 'ssh', port: 'udp/6000', secretFile: '/k' }
const rotate = { door: 'ssh', secretFile: '/k', every: '1h', steps: 4, ports: '20000-60000' }
const rate = { port: 'tcp/22', hits: 2 }
const rhythm = { port: 'tcp/443', counts: [1, 2], window: '4s' }

t.test('every kind is read, with defaults filled in', async (t) => {
  const read = (document: unknown) => readProfile(document, 'here')
  const tcp = (port: number) => ({ protocol: 'tcp', port })
  t.same(await read({ steps: [7000], gap: '1s' }), {
    knock: { kind: 'steps', steps: [tcp(7000)] },
    gap: 1000,
  })
  t.same((await read({ oneTime: [[7000, 'tcp/1'], ['icmp']] })).knock, {
    kind: 'oneTime',
    sequences: [[tcp(7000), tcp(1)], [{ protocol: 'icmp' }]],
  })
  t.same((await read({ oneTime: [] })).knock, { kind: 'oneTime', sequences: [] })
  const whole = { kind: 'token', door: 'ssh', secretFile: '/k', port: 6000, carrier: 'udp' }
  t.same((await read({ token })).knock, { ...whole, period: 30 })
  t.same((await read({ token: { ...token, period: '1m' } })).knock, { ...whole, period: 60 })
  const ports = { from: 20000, to: 60000 }
  const every = { door: 'ssh', secretFile: '/k', every: 3600, length: 4, ports }
  t.same((await read({ rotate })).knock, { kind: 'rotate', ...every, protocol: 'tcp' })
  t.match((await read({ rotate: { ...rotate, protocol: 'udp' } })).knock, { protocol: 'udp' })
  t.strictSame((await read({ rate })).knock, { kind: 'rate', port: tcp(22), hits: 2, min: 0 })
  const timed = { ...rate, min: '3s', max: 5 }
  t.match((await read({ rate: timed })).knock, { min: 3, max: 5 })
  t.same((await read({ rhythm })).knock, {
    kind: 'rhythm',
    port: tcp(443),
    counts: [1, 2],
    window: 4,
  })
})

/** The paths of all problems, in their order. */
async function problemsOf(document: unknown): Promise<string[]> {
  try {
    await readProfile(document, 'here')
    return []
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error
    return error.problems.map(({ path }) => path)
  }
}

t.test('every problem is found at once', async (t) => {
  const wrong: readonly (readonly [document: unknown, paths: readonly string[]])[] = [
    [{ steps: ['tcp/0', 7000, 'x'], gap: 1, x: 1 }, ['/steps/0', '/steps/2', '/gap', '/x']],
    [{ steps: [7000], token }, ['/token']],
    [{ steps: [7000], doors: { ssh: { token } } }, ['/steps']],
    [
      { doors: { ssh: { steps: [1], token }, 'a b': rate, x: {} } },
      ['/doors/ssh/token', '/doors/a b', '/doors/x/steps'],
    ],
    [{ doors: {} }, ['/doors']],
    [{ doors: { web: { steps: [1], addresses: ['::1'] } } }, ['/doors/web/addresses']],
    [{ steps: [1], addresses: [] }, ['/addresses']],
    [
      { steps: [1], addresses: ['::1', 'a.example', '1.2.3', '1.2.3.4%e'] },
      ['/addresses/1', '/addresses/2', '/addresses/3'],
    ],
    [{ token: { port: 'udp/1', secret: 'short' } }, ['/token/secret', '/token/door']],
    [{ token: { ...token, secret: 'sixteen bytes or more' } }, ['/token/secret']],
    [{ token: { ...token, carrier: 'tcp' } }, ['/token/carrier']],
    [{ steps: [1], port: 0, connections: 0, for: '0s' }, ['/port', '/connections', '/for']],
    [{ rate, rhythm, steps: [1] }, ['/rate', '/rhythm']],
    [
      { oneTime: [[], [7000], ['tcp/65536', null]] },
      ['/oneTime/0', '/oneTime/2/0', '/oneTime/2/1'],
    ],
    [{ oneTime: [7000] }, ['/oneTime/0']],
    [{ token: {} }, ['/token/port', '/token/door', '/token/secretFile']],
    [{ token: { ...token, port: 'tcp/1', period: '5s' } }, ['/token/port', '/token/period']],
    [{ token: { ...token, port: 'udp/65536' } }, ['/token/port']],
    [{ token: 'ssh' }, ['/token']],
    [{ token, gap: '1s' }, ['/gap']],
    [{ steps: [1], gap: '3601s' }, ['/gap']],
    [{ rotate: { ...rotate, every: '9m', ports: '1-9' } }, ['/rotate/every', '/rotate/ports']],
    [{ rotate: { ...rotate, steps: 9, protocol: 'x' } }, ['/rotate/steps', '/rotate/protocol']],
    [{ rate: { ...rate, hits: 0, min: '1x' } }, ['/rate/hits', '/rate/min']],
    [{ rate: { ...rate, min: '5s', max: '5s' } }, ['/rate/max']],
    [{ rhythm: { ...rhythm, counts: [1, 0], window: 1 } }, ['/rhythm/counts/1', '/rhythm/window']],
    [{ rhythm: { ...rhythm, counts: [1] } }, ['/rhythm/counts']],
  ]
  for (const [document, paths] of wrong) {
    t.same(await problemsOf(document), paths, JSON.stringify(document))
  }
})

t.test('one of several doors is chosen, with the parts for all doors', async (t) => {
  const document = {
    host: 'server.example',
    addresses: ['203.0.113.9', '2001:DB8::0:9', '::ffff:203.0.113.9'],
    doors: {
      ssh: { port: 22, for: '30s', token: { port: 'udp/6000', secretFile: '/k' } },
      web: { port: 443, connections: 1, steps: [7000], gap: '1s' },
    },
  }
  t.match(await readProfile(document, 'here', 'ssh'), {
    host: 'server.example',
    addresses: [
      { family: 4, address: '203.0.113.9' },
      { family: 6, address: '2001:db8::9' },
      { family: 4, address: '203.0.113.9' },
    ],
    door: 'ssh',
    port: 22,
    lasts: 30,
    knock: { kind: 'token', door: 'ssh' },
  })
  t.match(await readProfile(document, 'here', 'web'), { door: 'web', connections: 1, gap: 1000 })
  const unnamed = /^here: \/doors: expected one of these to be named: ssh, web/
  await t.rejects(readProfile(document, 'here'), { message: unnamed })
  await t.rejects(readProfile(document, 'here', 'mail'), { message: /a door named mail/ })
  await t.rejects(readProfile({ steps: [1] }, 'here', 'mail'), { message: /a door named mail/ })
  const only = { doors: { ssh: document.doors.ssh } }
  t.match(await readProfile(only, 'here'), { door: 'ssh' })
})
