// The text that Prometheus reads, by OpenMetrics' own grammar, and the dashboard that is made for
// it.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseOpenMetrics } from '../../integration/fixtures/openmetrics.js'
import type { Counters, DoorStatus, Status } from '../view/status.js'
import { METRICS_TYPE, renderMetrics } from './metrics.js'

const counters = (of: Partial<Counters> = {}): Counters => ({
  knocks: 0,
  grants: 0,
  resets: 0,
  wrong: 0,
  closes: 0,
  denied: 0,
  ...of,
})
const door = (name: string, parts: Partial<DoorStatus> = {}): DoorStatus => ({
  name,
  service: ['tcp/22'],
  openFor: 30,
  grants: [],
  progress: [],
  counters: counters(),
  ...parts,
})

const STATUS: Status = {
  table: 'knock',
  doors: [
    door('ssh', {
      service: ['tcp/22', 'udp/5000-5010'],
      grants: [{ source: '203.0.113.7', expiresIn: 5 }],
      progress: [
        { source: '203.0.113.8', stage: 1, of: 2, expiresIn: 5 },
        { source: '203.0.113.9', stage: 1, of: 2, expiresIn: 5 },
      ],
      penalised: [{ source: '203.0.113.10', knock: 'open', expiresIn: 5 }],
      counters: counters({
        knocks: 12,
        grants: 3,
        resets: 2,
        wrong: 4,
        denied: 1_000_000,
        closes: 7,
      }),
    }),
    door('web'),
  ],
  bans: [{ source: '203.0.113.66', expiresIn: 5 }],
  counters: { bans: 2, ignored: 9, repeated: 4, unlogged: 5 },
  fill: [{ set: 'syns_4', elements: 17, capacity: 65536 }],
}

t.test('what became of actions is counted by action', async (t) => {
  const actions = [
    { action: 0, done: 5, failed: 1, lost: 0 },
    { action: 1, done: 0, failed: 0, lost: 9899 },
  ]
  const text = await renderMetrics(STATUS, { actions })
  const samples = parseOpenMetrics(text).get('knocklib_actions')?.samples ?? []
  t.strictSame(
    samples.map(({ labels: { action, result }, value }) => [action, result, value]),
    [
      ['0', 'done', 5],
      ['0', 'failed', 1],
      ['0', 'lost', 0],
      ['1', 'done', 0],
      ['1', 'failed', 0],
      ['1', 'lost', 9899],
    ],
  )
})

t.test('all values of a status are metrics', async (t) => {
  const text = await renderMetrics(STATUS, { lostEvents: 3 })
  const families = parseOpenMetrics(text)
  const values = (name: string) =>
    families.get(`knocklib_${name}`)?.samples.map(({ labels: { table, ...labels }, value }) => {
      t.equal(table, 'knock')
      return [...Object.values(labels), value]
    })
  t.strictSame(values('knocks'), [
    ['ssh', 12],
    ['web', 0],
  ])
  t.strictSame(values('grants'), [
    ['ssh', 3],
    ['web', 0],
  ])
  t.strictSame(values('resets'), [
    ['ssh', 2],
    ['web', 0],
  ])
  t.strictSame(values('wrong'), [
    ['ssh', 4],
    ['web', 0],
  ])
  t.strictSame(values('closes'), [
    ['ssh', 7],
    ['web', 0],
  ])
  t.strictSame(values('denied'), [
    ['ssh', 1_000_000],
    ['web', 0],
  ])
  t.strictSame(values('bans'), [[2]])
  t.strictSame(values('ignored'), [[9]])
  t.strictSame(values('repeated'), [[4]])
  t.strictSame(values('unlogged'), [[5]])
  t.strictSame(values('lost_events'), [[3]])
  t.strictSame(values('table_info'), [[1]])
  t.strictSame(values('door_info'), [
    ['ssh', 'tcp/22 udp/5000-5010', 1],
    ['web', 'tcp/22', 1],
  ])
  t.strictSame(values('open_seconds'), [
    ['ssh', 30],
    ['web', 30],
  ])
  t.strictSame(values('active_grants'), [
    ['ssh', 1],
    ['web', 0],
  ])
  t.strictSame(values('active_attempts'), [
    ['ssh', 2],
    ['web', 0],
  ])
  t.strictSame(
    values('active_penalties'),
    [['ssh', 1]],
    'only doors with a penalty have this metric',
  )
  t.strictSame(values('active_bans'), [[1]])
  t.strictSame(values('set_elements'), [['syns_4', 17]])
  t.strictSame(values('set_capacity'), [['syns_4', 65536]])
  t.strictSame([values('unconfirmed'), values('fallen_open')], [[[0]], [[0]]])
  for (const [name, { type, samples }] of families) {
    t.match(name, /^knocklib_[a-z_]+$/)
    t.ok(samples.length > 0, name)
    if (type === 'counter') t.ok(samples.every((sample) => sample.name === `${name}_total`))
  }
  t.notMatch(text, /203\.0\.113/, 'no source address is in the metrics')
  t.equal(METRICS_TYPE, (await import('prom-client')).openMetricsContentType)
})

t.test('the loaded time is a metric for tokens and rotations', async (t) => {
  const tokens = [
    { user: 'ann', expiresIn: 60, loadedFor: 70 },
    { user: 'bob', expiresIn: 0 },
  ]
  const rotations = [{ knock: 'open' as const, expiresIn: 5, loadedFor: 70 }]
  const doors = [door('ssh', { tokens }), door('web', { rotations }), door('mail')]
  const families = parseOpenMetrics(await renderMetrics({ ...STATUS, doors }))
  t.strictSame(
    families.get('knocklib_tokens_seconds')?.samples.map(({ value }) => value),
    [60, 0],
  )
  const [first] = families.get('knocklib_tokens_seconds')?.samples ?? []
  t.strictSame(first?.labels, { table: 'knock', door: 'ssh', user: 'ann' })
  const [rotation] = families.get('knocklib_rotation_seconds')?.samples ?? []
  t.strictSame(rotation?.labels, { table: 'knock', door: 'web', knock: 'open' })
  t.notOk(parseOpenMetrics(await renderMetrics(STATUS)).has('knocklib_tokens_seconds'))
})

t.test('the time to confirm is a metric, and missing own counts are left out', async (t) => {
  const states = [
    [{ expiresIn: 5 }, 1, 0],
    [{ fallenOpen: true }, 0, 1],
  ] as const
  for (const [confirm, unconfirmed, fallenOpen] of states) {
    const families = parseOpenMetrics(await renderMetrics({ ...STATUS, confirm }))
    t.equal(families.get('knocklib_unconfirmed')?.samples[0]?.value, unconfirmed)
    t.equal(families.get('knocklib_fallen_open')?.samples[0]?.value, fallenOpen)
    t.notOk(families.has('knocklib_lost_events'))
  }
})

t.test('two calls at once use no global registry', async (t) => {
  const [one, two] = await Promise.all([renderMetrics(STATUS), renderMetrics(STATUS)])
  t.equal(one, two)
  t.strictSame((await import('prom-client')).register.getMetricsAsArray(), [])
})

t.test('the parser of the test is strict', async (t) => {
  const wrong = [
    '',
    '# EOF',
    'a_total 1\n# EOF\n',
    '# HELP a a.\n# TYPE a counter\na 1\n# EOF\n',
    '# HELP a_total a.\n# TYPE a_total counter\na_total_total 1\n# EOF\n',
    '# HELP a a.\n# TYPE a counter\na_total{b="1"} 1\na_total{b="1"} 1\n# EOF\n',
    '# TYPE a gauge\na 1\n# EOF\n',
    '# HELP a a.\n# TYPE a gauge\na NaN\n# EOF\n',
  ]
  for (const text of wrong) t.throws(() => parseOpenMetrics(text), JSON.stringify(text))
})

t.test('the dashboard uses existing metrics and labels', async (t) => {
  const path = new URL('../../docs/grafana-dashboard.json', import.meta.url)
  const dashboard = JSON.parse(readFileSync(path, 'utf8'))
  const families = parseOpenMetrics(await renderMetrics(STATUS, { lostEvents: 3 }))
  const samples = new Map<string, readonly string[]>(
    [...families.values()].flatMap(({ samples: [first] }) =>
      first ? [[first.name, Object.keys(first.labels)]] : [],
    ),
  )
  const found: readonly string[] = JSON.stringify(dashboard).match(/knocklib_\w+/g) ?? []
  t.ok(found.length > 10)
  for (const name of found) t.ok(samples.has(name), name)
  const expressions: string[] = dashboard.panels.flatMap(
    ({ targets = [] }: { targets?: { expr: string }[] }) => targets.map(({ expr }) => expr),
  )
  for (const expr of expressions) {
    for (const [, name = '', matchers = ''] of expr.matchAll(/(knocklib_\w+)\{([^}]*)\}/g)) {
      for (const [, label = ''] of matchers.matchAll(/(\w+)=~?"/g)) {
        t.ok(samples.get(name)?.includes(label), `${name} has ${label}`)
      }
    }
    if (/_total/.test(expr)) t.match(expr, /rate\(|increase\(/, `${expr}: a counter is a rate`)
  }
  const ids = dashboard.panels.map(({ id }: { id: number }) => id)
  t.equal(new Set(ids).size, ids.length)
  for (const name of samples.keys()) {
    if (!/_info$|open_seconds|unconfirmed/.test(name)) t.ok(found.includes(name), `shows ${name}`)
  }
})
