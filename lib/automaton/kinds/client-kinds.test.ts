// A knock of a client, a secret and the time → the packets and when they are sent.
import t from 'tap'
import { payloadOf } from '../../spec/derive/carrier.js'
import { derivePorts, deriveToken } from '../../spec/derive/derive.js'
import { planKnock } from './client-kinds.js'
import type { RateKnock } from './rate/rate-client.js'
import type { RotatingKnock } from './sequence/rotation-client.js'

const secret = new TextEncoder().encode('sixteen bytes or more')
const at = { secret, now: 7200, gap: 100, family: 4, id: '0123456789abcdef01234567' } as const

t.test('a sequence sends its steps, and the first of one-time sequences', async (t) => {
  const [first, second] = [{ protocol: 'tcp', port: 7000 } as const, { protocol: 'icmp' } as const]
  const { delay, shots, ready } = await planKnock({ kind: 'steps', steps: [first, second] }, at)
  t.same({ delay, ready }, { delay: 0, ready: 0 })
  t.same(shots, [
    { step: first, label: 'tcp/7000' },
    { step: second, label: 'icmp' },
  ])
  const oneTime = await planKnock({ kind: 'oneTime', sequences: [[second], [first]] }, at)
  t.same(oneTime.shots, [{ step: second, label: 'packet 1 of 1', isSecret: true }])
})

t.test('a token is of the present period, the family and the carrier', async (t) => {
  const base = { kind: 'token', door: 'ssh', secretFile: '/k', port: 6000, period: 30 } as const
  const step = { protocol: 'udp', port: 6000 }
  for (const now of [60, 89.999]) {
    for (const family of [4, 6] as const) {
      const { shots } = await planKnock({ ...base, carrier: 'udp' }, { ...at, now, family })
      const payload = deriveToken(secret, 'ssh', 2, family)
      t.equal(payload.length, 32)
      t.same(shots, [{ step, label: 'udp/6000', payload }])
    }
  }
  const token = deriveToken(secret, 'ssh', 2)
  const [dns, stun] = await Promise.all(
    (['dns', 'stun'] as const).map((carrier) =>
      planKnock({ ...base, carrier }, { ...at, now: 60 }),
    ),
  )
  t.same(dns?.shots, [{ step, label: 'udp/6000', payload: payloadOf('dns', token, at.id) }])
  const [shot] = stun?.shots ?? []
  t.equal(shot?.payload, payloadOf('stun', token, at.id))
  t.match(shot?.fragment, /^[A-Za-z0-9+/]{16}$/)
})

const rotation: RotatingKnock = {
  kind: 'rotate',
  door: 'ssh',
  secretFile: '/k',
  every: 3600,
  length: 4,
  protocol: 'tcp',
  ports: { from: 20000, to: 60000 },
}

t.test('a rotation that would not end in its period waits for the next period', async (t) => {
  const plan = async (now: number, gap = 100) => {
    const { delay, shots } = await planKnock(rotation, { ...at, now, gap })
    return { delay, steps: shots.map(({ step }) => step) }
  }
  const steps = (period: number) => derivePorts(secret, 'ssh', period, rotation)
  t.same(await plan(7200), { delay: 0, steps: steps(2) })
  t.same(
    await plan(10798.5),
    { delay: 0, steps: steps(2) },
    '1.5 s before the end of the period are enough',
  )
  t.same(await plan(10799.5), { delay: 750, steps: steps(3) })
  t.same(await plan(10798, 1000), { delay: 2250, steps: steps(3) })
  t.same(
    await plan(10000, 1_000_000),
    { delay: 0, steps: steps(2) },
    'a rotation longer than a period is sent at once',
  )
  const { shots } = await planKnock(rotation, at)
  for (const { step, label, isSecret } of shots) {
    t.ok(isSecret)
    t.notMatch(label, String(step.port))
  }
})

t.test('a rate sends its hits close together, and says when to connect', async (t) => {
  const plan = (times: Partial<RateKnock>) =>
    planKnock({ kind: 'rate', port: { protocol: 'tcp', port: 22 }, hits: 3, min: 0, ...times }, at)
  t.same(
    (await plan({})).shots.map(({ at }) => at),
    [0, 20, 40],
  )
  t.equal((await plan({})).ready, 0)
  t.equal((await plan({ min: 3 })).ready, 3500)
  t.equal((await plan({ min: 3, max: 4 })).ready, 3500)
  t.equal((await plan({ min: 3, max: 5 })).ready, 4000)
  t.equal((await plan({ min: 3, max: 3600 })).ready, 4000)
})

t.test('a rhythm sends each burst in the middle of its window', async (t) => {
  const port = { protocol: 'tcp', port: 443 } as const
  const { shots, ready } = await planKnock(
    { kind: 'rhythm', port, counts: [1, 3, 2], window: 4 },
    at,
  )
  const times = [0, 4000, 4050, 4100, 8000, 8050]
  t.same(
    shots.map(({ at }) => at),
    times,
  )
  t.ok(shots.every(({ step }) => step.port === 443))
  t.equal(ready, 0)
})
