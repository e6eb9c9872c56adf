// A spec → profiles of its doors, which the client reads; or which name is missing.
import t from 'tap'
import { readProfile } from '../client/profile.js'
import type { KnockSpec } from '../index.js'
import { validateSpec } from '../spec/validate.js'
import { type ProfileRequest, profileFromSpec, serverSecretOf } from './from-spec.js'

const TOKEN = {
  type: 'token',
  port: 'udp/6000',
  period: '1m',
  users: [
    { name: 'ana', secretFile: '/etc/knock/ana.key' },
    { name: 'ben', secretFile: '/etc/knock/ben.key' },
  ],
}
const STEPS = { type: 'sequence', steps: ['tcp/7000', 'udp/8000'], stepTimeout: '5s' }
const ONCE = { type: 'sequence', oneTime: [['tcp/7100', 'tcp/8100'], ['tcp/7200']] }
const ROTATE = {
  type: 'sequence',
  rotate: { secretFile: 'web.key', every: '1h', steps: 4, ports: '20000-60000' },
}
const RATE = { type: 'rate', port: 'tcp/22', hits: 2, min: '3s', max: '5s' }
const RHYTHM = { type: 'rhythm', ports: ['tcp/443', 'udp/443'], counts: [1, 2], window: '4s' }

const door = (name: string, service: unknown, knock: unknown, open: object = {}) => ({
  ...{ name, service, knock, open: { for: '90s', ...open } },
})
const specOf = (...doors: object[]) => validateSpec({ doors } as unknown as KnockSpec)
const HOST = { host: 'server.example' }

t.test('each kind is made as the client reads it', async (t) => {
  const cases: [knock: object, part: object, knocks: object][] = [
    [STEPS, { steps: ['tcp/7000', 'udp/8000'] }, { kind: 'steps' }],
    [ONCE, { oneTime: [['tcp/7100', 'tcp/8100'], ['tcp/7200']] }, { kind: 'oneTime' }],
    [
      ROTATE,
      {
        rotate: {
          ...{ secretFile: 'web.key', every: '1h', steps: 4 },
          ...{ protocol: 'tcp', ports: '20000-60000' },
        },
      },
      { kind: 'rotate', door: 'ssh', every: 3600, length: 4 },
    ],
    [
      RATE,
      { rate: { port: 'tcp/22', hits: 2, min: '3s', max: '5s' } },
      { kind: 'rate', min: 3, max: 5 },
    ],
    [
      RHYTHM,
      { rhythm: { port: 'tcp/443', counts: [1, 2], window: '4s' }, connections: 1 },
      { kind: 'rhythm', window: 4 },
    ],
    [
      { ...TOKEN, users: TOKEN.users.slice(0, 1) },
      { token: { port: 'udp/6000', secretFile: 'ana.key', period: '1m' } },
      { kind: 'token', door: 'ssh', secretFile: 'ana.key', period: 60, carrier: 'udp' },
    ],
    [
      { ...TOKEN, users: TOKEN.users.slice(0, 1), carrier: 'stun', port: 'udp/3478' },
      { token: { port: 'udp/3478', carrier: 'stun', secretFile: 'ana.key', period: '1m' } },
      { kind: 'token', carrier: 'stun', port: 3478 },
    ],
  ]
  for (const [knock, part, read] of cases) {
    const profile = profileFromSpec(specOf(door('ssh', 'tcp/2222', knock)), HOST)
    const head = { host: 'server.example', door: 'ssh', port: 2222, for: '90s' }
    t.strictSame(profile, { ...head, ...part })
    t.match(await readProfile(profile, 'here'), { knock: read, port: 2222, lasts: 90 })
  }
})

t.test('steps keep their flags and lengths', async (t) => {
  const steps = [
    { protocol: 'tcp', port: 7000, flags: 'fin,!syn' },
    { protocol: 'udp', port: 8000, length: 4 },
    { protocol: 'icmp', length: 228 },
    'icmpv6',
  ]
  const profile = profileFromSpec(specOf(door('ssh', 'tcp/22', { type: 'sequence', steps })), HOST)
  t.strictSame(profile.steps, steps)
})

t.test('the pauses take at most half of the time for the knock', async (t) => {
  const steps = ['tcp/1001', 'tcp/1003', 'tcp/1002', 'tcp/1004', 'tcp/1005', 'tcp/1006']
  const gap = (times: object) =>
    profileFromSpec(specOf(door('ssh', 'tcp/22', { type: 'sequence', steps, ...times })), HOST).gap
  t.equal(gap({ stepTimeout: '1s' }), undefined, 'the pause is the default if that is short enough')
  t.equal(gap({ stepTimeout: '1s', timeout: '1s' }), undefined)
  const many = { steps: Array.from({ length: 11 }, (_, index) => `tcp/${1100 - index}`) }
  t.equal(gap({ ...many, timeout: '1s' }), '50ms')
})

t.test('the port is that of the first TCP service that has one', async (t) => {
  const port = (service: unknown) => profileFromSpec(specOf(door('ssh', service, STEPS)), HOST).port
  t.equal(port(['udp/53', 'tcp/8000-8010', 'tcp/22']), 8000)
  t.equal(port('udp/53'), undefined)
  t.equal(port('tcp'), undefined)
})

const TWO = specOf(
  door('ssh', 'tcp/22', [TOKEN, STEPS]),
  door('web', 'tcp/443', { ...TOKEN, port: 'udp/6001', users: TOKEN.users.slice(1) }),
  door('mail', 'tcp/25', { ...RATE, port: 'tcp/25' }, { connections: 2 }),
)

t.test('a profile has the doors that the user can open', async (t) => {
  const profile = profileFromSpec(TWO, { ...HOST, user: 'ana' })
  t.same(Object.keys(profile.doors ?? {}), ['ssh', 'mail'])
  t.match(await readProfile(profile, 'here', 'ssh'), { knock: { secretFile: 'ana.key' } })
  t.match(await readProfile(profile, 'here', 'mail'), { connections: 2 })
  const ben = profileFromSpec(TWO, { ...HOST, user: 'ben', secretFile: '/home/ben/key' })
  t.same(Object.keys(ben.doors ?? {}), ['ssh', 'web', 'mail'])
  t.equal(ben.doors?.['web']?.token?.secretFile, '/home/ben/key')
})

t.test('a profile is of one of several doors, users and knocks', async (t) => {
  const of = (request: Partial<ProfileRequest>) => profileFromSpec(TWO, { ...HOST, ...request })
  t.match(of({ door: 'ssh', user: 'ben' }), { token: { secretFile: 'ben.key' } })
  t.match(of({ door: 'ssh', knock: 2 }), { steps: ['tcp/7000', 'udp/8000'] })
  t.match(
    of({ door: 'web' }),
    { token: { secretFile: 'ben.key' } },
    'the only user of a door is chosen',
  )
  t.equal(serverSecretOf(TWO, { ...HOST, door: 'ssh', user: 'ben' }), '/etc/knock/ben.key')
  t.equal(serverSecretOf(TWO, { ...HOST, door: 'mail' }), undefined)
  const wrong: [Partial<ProfileRequest>, string][] = [
    [{ door: 'irc' }, '--door: expected one of ssh, web, mail, got irc'],
    [{ door: 'ssh', user: 'carl' }, '--user: expected one of ana, ben, got carl'],
    [{ user: 'carl' }, '--user: expected one of ana, ben, got carl'],
    [
      { door: 'mail', user: 'ana' },
      '--user: expected no user, since no knock here has users, got ana',
    ],
    [
      { door: 'ssh' },
      '--knock: expected one of the knocks of ssh: 1 (token), 2 (sequence), got none',
    ],
    [
      { door: 'ssh', knock: 3 },
      '--knock: expected one of the knocks of ssh: 1 (token), 2 (sequence), got 3',
    ],
    [{ door: 'ssh', knock: 1 }, '--user: expected one of ana, ben for the door ssh, got none'],
  ]
  for (const [request, message] of wrong) {
    t.throws(() => of(request), {
      code: 'invalid-argument',
      message: `profileFromSpec: ${message}`,
    })
  }
  t.throws(() => serverSecretOf(TWO, HOST), { message: /--door: expected one of ssh, web, mail/ })
})
