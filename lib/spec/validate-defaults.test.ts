// Knocks of each kind → their valid form, with defaults filled in.
import t from 'tap'
import { ana, rate, rhythm, rotate, token, wrongPart } from '../../integration/fixtures/kinds.js'
import { sequence, spec } from '../../integration/fixtures/specs.js'
import { validateSpec } from './validate.js'

const knocksOf = (knock: unknown) => validateSpec(spec({ knock })).doors[0]?.knocks

const openOf = (parts: Record<string, unknown>) => validateSpec(spec(parts)).doors[0]?.open

const _once = wrongPart((parts) => ({ type: 'sequence', ...parts }))

t.test('the defaults of each kind are filled in', async (t) => {
  const times = { stepTimeout: 5, reset: 'any' }
  t.strictSame(knocksOf([rotate(), rate(), rhythm(), token()]), [
    {
      type: 'rotation',
      origin: '/doors/0/knock/0',
      secretFile: 'ssh.key',
      every: 3600,
      length: 4,
      protocol: 'tcp',
      ports: { from: 20000, to: 60000 },
      horizon: 604800,
      ...times,
    },
    {
      type: 'rate',
      origin: '/doors/0/knock/1',
      port: { protocol: 'tcp', port: 9 },
      hits: 2,
      min: 0,
      max: 5,
      penalty: 5,
    },
    {
      type: 'rhythm',
      origin: '/doors/0/knock/2',
      ports: [{ protocol: 'udp', port: 9 }],
      counts: [1, 2],
      window: 4,
      penalty: 4,
    },
    {
      type: 'token',
      origin: '/doors/0/knock/3',
      port: 6000,
      carrier: 'udp',
      period: 30,
      drift: 30,
      horizon: 604800,
      users: [ana],
    },
  ])
})

t.test('every part of each kind is read', async (t) => {
  const ports = ['tcp/9', 'udp/9']
  const all = { protocol: 'udp', ports: '1-256', horizon: '1d', every: '10m', steps: 8 }
  t.match(knocksOf({ ...rotate(all), timeout: '9s', stepTimeout: 3, reset: 'never' }), [
    {
      origin: '/doors/0/knock',
      every: 600,
      length: 8,
      protocol: 'udp',
      ports: { from: 1, to: 256 },
      horizon: 86400,
      stepTimeout: 3,
      timeout: 9,
      reset: 'never',
    },
  ])
  t.match(
    knocksOf(rotate({ every: '10m' })),
    [{ horizon: 598800 }],
    'a horizon covers at most 1000 sequences',
  )
  t.match(knocksOf(rate({ min: '3s', penalty: '1m' })), [{ min: 3, penalty: 60 }])
  t.match(knocksOf(rate({ min: '0s' })), [{ min: 0 }])
  t.match(knocksOf(rhythm({ port: undefined, ports, penalty: 9 })), [
    {
      ports: [
        { protocol: 'tcp', port: 9 },
        { protocol: 'udp', port: 9 },
      ],
      penalty: 9,
    },
  ])
  t.match(knocksOf(token({ drift: 0, horizon: '1h' })), [{ drift: 0, horizon: 3600 }])
})

t.test('each one-time sequence becomes its own knock', async (t) => {
  const syn = { protocol: 'tcp', port: 7100, flags: '!ack,!rst,!fin,syn' }
  const oneTime = [['tcp/7000', 'icmp'], [syn]]
  const found = knocksOf({ type: 'sequence', oneTime, timeout: 9 })
  const common = { type: 'sequence', origin: '/doors/0/knock', stepTimeout: 9, timeout: 9 }
  t.strictSame(found, [
    {
      ...common,
      stepsOrigin: '/doors/0/knock/oneTime/0',
      steps: [{ protocol: 'tcp', port: 7000 }, { protocol: 'icmp' }],
      reset: 'any',
      once: found?.[0]?.type === 'sequence' ? found[0].once : '',
    },
    {
      ...common,
      stepsOrigin: '/doors/0/knock/oneTime/1',
      steps: [{ protocol: 'tcp', port: 7100, flags: { mask: 0x17, value: 2 } }],
      reset: 'any',
      once: found?.[1]?.type === 'sequence' ? found[1].once : '',
    },
  ])
  const listed = knocksOf([sequence(), { type: 'sequence', oneTime: [['tcp/7100'], ['udp/7100']] }])
  const onces = [...(found ?? []), ...(listed ?? [])].map((knock) =>
    knock.type === 'sequence' ? knock.once : '',
  )
  for (const once of onces) if (once !== undefined) t.match(once, /^[0-9a-f]{12}$/)
  t.equal(onces[3], onces[1], 'the same packets give the same digest')
  t.equal(new Set(onces).size, 4)
  t.match(listed?.[1], { origin: '/doors/0/knock/1', stepsOrigin: '/doors/0/knock/1/oneTime/0' })
})

t.test('every part of an opening is read', async (t) => {
  const open = { for: 5, refresh: false, scope: 'source', established: 'keep' }
  const opened = (parts: object) => openOf({ open: { for: 5, ...parts } })
  t.strictSame(opened({ connections: 'any', mark: 1 }), { ...open, mark: 1 })
  t.strictSame(opened({ redirectTo: 2222 }), { ...open, redirectTo: { port: 2222 } })
  t.strictSame(opened({ redirectTo: '192.0.2.7:22' }), {
    ...open,
    redirectTo: { port: 22, family: 4, address: '192.0.2.7' },
  })
  t.strictSame(opened({ redirectTo: '[2001:DB8::0:1]:22' }), {
    ...open,
    redirectTo: { port: 22, family: 6, address: '2001:db8::1' },
  })
  const rhythmic = (parts: object) =>
    openOf({ knock: [sequence(), rhythm()], open: { for: 5, ...parts } })
  t.strictSame(rhythmic({}), { ...open, connections: 1 })
  t.strictSame(rhythmic({ connections: 3 }), { ...open, connections: 3 })
  t.strictSame(rhythmic({ connections: 'any', refresh: true }), { ...open, refresh: 'connections' })
  t.strictSame(opened({ refresh: 'traffic' }), { ...open, refresh: 'traffic' })
})
