// Tokens and rotating sequences in a simulation: with their secrets, and without.
import { join } from 'node:path'
import t from 'tap'
import { loadSecrets } from '../api/load-secrets.js'
import { derivePorts, deriveToken } from '../spec/derive/derive.js'
import type { KnockSpec } from '../spec/generated/knock-types.js'
import { simulateKnock } from './simulation.js'
import type { TracePacket } from './simulation-packet.js'

const source = '10.0.0.1'

const SECRET = 'sixteen bytes or more'

const bytes = new TextEncoder().encode(SECRET)

const ROTATION = { length: 2, protocol: 'udp', ports: { from: 20000, to: 29999 } } as const

/** Unix time; a period of either kind begins. */
const NOW = 1_767_225_600

/** A door with a token and a rotation, both of one secret. */
const secretSpec = (secretFile: string, horizon = '10m'): KnockSpec => ({
  doors: [
    {
      name: 'ssh',
      service: 'tcp/22',
      knock: [
        {
          type: 'token',
          port: 'udp/6000',
          period: '30s',
          horizon,
          users: [{ name: 'ana', secretFile }],
        },
        {
          type: 'sequence',
          rotate: { secretFile, every: '1h', steps: 2, protocol: 'udp', ports: '20000-29999' },
        },
      ],
      open: { for: 30 },
    },
  ],
})

t.test('tokens open with secrets, each once and in its time', async (t) => {
  const token = (period: number) => deriveToken(bytes, 'ssh', NOW / 30 + period)
  const send = (at: number, payload: string, from = source) => {
    return { at: NOW + at, source: from, to: 'udp/6000', payload }
  }
  const packets = [
    send(0, token(0)),
    { at: NOW + 1, source, to: 'tcp/22' },
    send(2, token(0), '10.0.0.2'),
    send(3, 'ff'.repeat(16), '10.0.0.3'),
    send(100, token(1), '10.0.0.4'),
    send(100, token(3).toUpperCase(), '10.0.0.5'),
  ]
  const secrets = new Map([['/k', bytes]])
  const { packets: judged, status } = simulateKnock(secretSpec('/k'), packets, { secrets })
  t.equal(judged[1]?.verdict, 'accept')
  const [door] = status.doors
  t.same(
    door?.grants.map(({ source }) => source),
    ['10.0.0.5'],
    'repeated, invented and late tokens open nothing',
  )
  t.match(door?.counters, { grants: 2, wrong: 3 })
  const without = simulateKnock(secretSpec('/k'), packets)
  t.match(
    without.status.doors[0]?.counters,
    { grants: 0, wrong: 5 },
    'without secrets each token is wrong',
  )
})

t.test('rotating sequences open with secrets', async (t) => {
  const steps = (period: number) => derivePorts(bytes, 'ssh', NOW / 3600 + period, ROTATION)
  const packets = [...steps(0), ...steps(1)].map(({ port }, index) => {
    return { at: NOW + index, source: index < 2 ? source : '10.0.0.2', to: `udp/${port}` }
  })
  const folder = t.testdir({ key: SECRET })
  const { chmod } = await import('node:fs/promises')
  const file = join(folder, 'key')
  await chmod(file, 0o600)
  const secrets = await loadSecrets(secretSpec(file))
  t.same([...secrets.keys()], [file])
  const { status } = simulateKnock(secretSpec(file), packets, { secrets })
  t.match(status.doors[0]?.grants, [{ source }])
  await chmod(file, 0o644)
  await t.rejects(loadSecrets(secretSpec(file)), { code: 'invalid-argument' })
  await t.rejects(loadSecrets({ doors: [] }), { code: 'invalid-spec' })
})

t.test('an error names the missing secret', async (t) => {
  t.throws(() => simulateKnock(secretSpec('/k'), [], { secrets: new Map() }), {
    code: 'invalid-argument',
    message: 'simulateKnock: secrets: expected the secret of /k, got none',
  })
})

t.test('a full set of token uses does not stop further sources', async (t) => {
  const guard = { ban: { after: 1, within: 600, for: 600 } }
  const spec = { ...secretSpec('/k', '1h'), guard }
  // The set of one user has room for 66: two grants of 30 s and 32 more, twice.
  const count = 80
  const packets = Array.from({ length: count }, (_, n): TracePacket => {
    const payload = deriveToken(bytes, 'ssh', NOW / 30 + n)
    return { at: NOW + 1, source: `10.0.1.${n + 1}`, to: 'udp/6000', payload }
  })
  const { status } = simulateKnock(spec, packets, { secrets: new Map([['/k', bytes]]) })
  t.equal(status.doors[0]?.grants.length, count)
  t.match(status.doors[0]?.counters, { grants: count, wrong: 0 })
  t.same(status.bans, [], 'no source is banned')
  const named = status.doors[0]?.grants.filter(({ token }) => token?.user === 'ana')
  t.equal(named?.length, 66, 'the users of the first tokens are noted')
})
