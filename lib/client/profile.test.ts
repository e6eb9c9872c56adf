// A profile's file → its steps and pause, or what is wrong with it.
import { join } from 'node:path'
import t from 'tap'
import { loadProfile } from './profile.js'

const FILES = {
  'whole.json': '{"$schema": "x", "steps": ["tcp/7000", {"protocol": "icmp"}], "gap": "200ms"}',
  'short.yaml': 'steps:\n  - 7000\n  - 8000:udp\n',
  'list.json': '["tcp/7000"]',
  'null.json': 'null',
  'none.json': '{"steps": []}',
  'text.json': '{"steps": "tcp/7000"}',
  'key.json': '{"steps": ["tcp/7000"], "gaps": "1s"}',
  'gap.json': '{"steps": ["tcp/7000"], "gap": 5}',
  'step.json': '{"steps": ["tcp/7000", "tcp/0"]}',
  'broken.json': '{',
}

t.test('reads JSON and YAML', async (t) => {
  const folder = t.testdir(FILES)
  t.same(await loadProfile(join(folder, 'whole.json')), {
    steps: ['tcp/7000', { protocol: 'icmp' }],
    gap: '200ms',
  })
  t.same(await loadProfile(join(folder, 'short.yaml')), { steps: [7000, '8000:udp'] })
})

t.test('says what is wrong, and where', async (t) => {
  const folder = t.testdir(FILES)
  const wrong = {
    'list.json': /list\.json: \/steps: expected a list of steps/,
    'null.json': /null\.json: \/steps: expected a list of steps/,
    'none.json': /none\.json: \/steps: expected a list of steps/,
    'text.json': /text\.json: \/steps: expected a list of steps/,
    'key.json': /key\.json: \/gaps: expected no such key/,
    'gap.json': /gap\.json: \/gap: expected a pause/,
    'step.json': /got "tcp\/0"/,
    'nosuch.json': /nosuch\.json: ENOENT/,
  }
  for (const [name, message] of Object.entries(wrong)) {
    await t.rejects(loadProfile(join(folder, name)), { code: 'invalid-argument', message }, name)
  }
  await t.rejects(loadProfile(join(folder, 'broken.json')), { code: 'invalid-spec' })
})
