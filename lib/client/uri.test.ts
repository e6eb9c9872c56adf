// Profiles ↔ URIs: there and back for any profile, and what is refused.
import fc from 'fast-check'
import t from 'tap'
import { ArgumentError, ProfileError } from '../errors.js'
import type { KnockProfile } from '../spec/generated/client-types.js'
import { readProfile } from './profile.js'
import { profileFromUri, profileToUri } from './uri.js'

const SECRET = '0123456789abcdef'
/** The secret `ä&#% +3456789abcde` as a URI has it. */
const ENCODED = '%C3%A4%26%23%25%20%2B3456789abcde'
const token = { port: 'udp/6000', carrier: 'stun', period: '30s', secret: SECRET } as const

const WRITTEN: Readonly<Record<string, KnockProfile>> = {
  [`knocklib://server.example:22/ssh#token&port=udp/6000&carrier=stun&period=30s&secret=${SECRET}`]:
    { host: 'server.example', door: 'ssh', port: 22, token },
  'knocklib://[2001:db8::1]/#steps=tcp/7000,udp/8000:length=64,icmp&gap=100ms': {
    host: '2001:db8::1',
    steps: ['tcp/7000', { protocol: 'udp', port: 8000, length: 64 }, 'icmp'],
    gap: '100ms',
  },
  'knocklib://h/#steps=7000,tcp/8000:flags=syn.!ack&addr=203.0.113.9,2001:db8::9': {
    host: 'h',
    steps: [7000, { protocol: 'tcp', port: 8000, flags: 'syn,!ack' }],
    addresses: ['203.0.113.9', '2001:db8::9'],
  },
  [`knocklib://h/ssh#rotate&every=1h&steps=4&ports=20000-60000&secret=${ENCODED}`]: {
    host: 'h',
    door: 'ssh',
    rotate: { every: '1h', steps: 4, ports: '20000-60000', secret: 'ä&#% +3456789abcde' },
  },
  'knocklib://[fe80::1%25eth0]/#rate&port=tcp/22&hits=2&min=3&max=5s&for=10m': {
    host: 'fe80::1%eth0',
    rate: { port: 'tcp/22', hits: 2, min: 3, max: '5s' },
    for: '10m',
  },
  'knocklib://h/web#rhythm&port=tcp/443&counts=1,2,3&window=4s&connections=2': {
    host: 'h',
    door: 'web',
    rhythm: { port: 'tcp/443', counts: [1, 2, 3], window: '4s' },
    connections: 2,
  },
}

t.test('each kind has its form of URI', async (t) => {
  for (const [uri, profile] of Object.entries(WRITTEN)) {
    t.equal(await profileToUri(profile), uri)
    t.same(await profileFromUri(uri), profile, uri)
  }
})

t.test('a URI chooses one of several doors', async (t) => {
  const doors = { ssh: { token, port: 22 }, web: { steps: ['tcp/7000'] } }
  const profile = { host: 'h', addresses: ['::1'], doors }
  const uri = await profileToUri(profile, { door: 'web' })
  t.equal(uri, 'knocklib://h/web#steps=tcp/7000&addr=::1')
  await t.rejects(profileToUri(profile), { message: /named: ssh, web/ })
})

const duration = fc.oneof(
  fc.integer({ min: 10, max: 999 }),
  fc.tuple(fc.integer({ min: 10, max: 99 }), fc.constantFrom('s', 'm', 'h')).map((p) => p.join('')),
)
const port = fc.integer({ min: 1, max: 65535 })
const place = fc.tuple(fc.constantFrom('tcp', 'udp'), port).map((parts) => parts.join('/'))
const text = (unit: fc.Arbitrary<string>) => fc.string({ unit, minLength: 16, maxLength: 40 })
const secret = fc.oneof(
  text(fc.constantFrom('&', '=', '%', '#', ',', '+', ' ', '7', '\n', '€', '😀')),
  text(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
)
const name = fc.stringMatching(/^[A-Za-z_]([A-Za-z0-9_-]{0,30}[A-Za-z0-9_])?$/)
const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[A-Za-z0-9.%-]{1,40}$/))
const step = fc.oneof(
  place,
  port,
  fc.constant('icmp'),
  fc.record({ protocol: fc.constant('udp'), port, length: fc.nat(65507) }),
  fc.record({ protocol: fc.constant('icmpv6'), length: fc.nat(1000) }),
  fc.record({ protocol: fc.constant('tcp'), port, flags: fc.constantFrom('syn,!ack', '!fin') }),
)
const optional = { requiredKeys: [] }
const knock = fc.oneof(
  fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 9 }) }),
  fc.record({
    token: fc
      .tuple(
        fc.record({ port: port.map((number) => `udp/${number}`), secret }),
        fc.record(
          { period: duration, door: name, carrier: fc.constantFrom('udp', 'stun', 'dns') },
          optional,
        ),
      )
      .map(([must, may]) => ({ ...must, ...may })),
  }),
  fc.record({
    rhythm: fc.record({
      port: place,
      counts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 9 }),
      window: duration,
    }),
  }),
)
const profile = fc
  .tuple(
    fc.record({ host, door: name }),
    fc.record(
      { port, for: duration, addresses: fc.array(fc.ipV6(), { minLength: 1, maxLength: 3 }) },
      optional,
    ),
    knock,
  )
  .map((parts) => Object.assign({}, ...parts) as KnockProfile)

t.test('any profile means the same after it was written and read', async (t) => {
  await fc.assert(
    fc.asyncProperty(profile, async (written) => {
      const uri = await profileToUri(written)
      const read = await profileFromUri(uri)
      t.strictSame(await readProfile(read, 'read'), await readProfile(written, 'written'))
      t.equal(await profileToUri(read), uri)
      // One # alone, and no query before it: no program takes the secret for another part.
      t.match(uri, /^knocklib:\/\/[^#?]*#[^#]*$/)
    }),
    { numRuns: 150, examples: Object.values(WRITTEN).map((one) => [one]) },
  )
  t.end()
})

t.test('any text is read or refused, and no message has the secret', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.nat(120), async (noise, at) => {
      const uri = `knocklib://h:22/ssh#token&port=udp/6000&secret=${SECRET}&for=1m`
      const broken = uri.slice(0, at) + noise + uri.slice(at)
      try {
        await profileFromUri(broken)
      } catch (error) {
        t.ok(error instanceof ArgumentError || error instanceof ProfileError, String(error))
        if (!(error instanceof ProfileError)) t.notMatch(String(error), SECRET)
      }
    }),
    { numRuns: 300 },
  )
})

const REFUSED: Readonly<Record<string, RegExp>> = {
  '': /expected knocklib:\/\/HOST/,
  'https://h/#steps=1': /expected knocklib:\/\/HOST/,
  'knocklib:///ssh#steps=1': /expected HOST or HOST:PORT behind knocklib:\/\/, got nothing/,
  'knocklib://me@h/#steps=1': /expected HOST or HOST:PORT behind knocklib:\/\/, got me@h/,
  'knocklib://h:0/#steps=1': /expected HOST or HOST:PORT .* got h:0/,
  'knocklib://h:70000/#steps=1': /\/port: expected a port from 1 to 65535, got 70000/,
  'knocklib://h/a/b#steps=1': /nothing but a door's name before #/,
  'knocklib://h/ssh?secret=x#steps=1': /nothing but a door's name before #/,
  'knocklib://h/s-#steps=1': /\/door: expected a name/,
  'knocklib://h/ssh': /expected #, and a knock behind it/,
  'knocklib://h/ssh#': /behind #: expected KEY=VALUE, got nothing/,
  'knocklib://h/ssh#port=udp/1&token': /expected one of steps, .* first, got another key/,
  'knocklib://h/ssh#steps=1&&gap=1s': /expected KEY=VALUE, got nothing/,
  'knocklib://h/ssh#steps=1&gap=1s&gap=2s': /gap: expected one value, got two/,
  'knocklib://h/ssh#steps=1&gap=': /gap: expected a value, got nothing/,
  'knocklib://h/ssh#steps=1&gap': /gap: expected a value, got nothing/,
  'knocklib://h/ssh#steps=1&port=udp/1': /port: expected no such key/,
  'knocklib://h/ssh#steps=1&gap=100': /\/gap: expected a pause .*, got 100/,
  'knocklib://h/ssh#steps=tcp/0': /\/steps\/0: expected tcp/,
  'knocklib://h/ssh#token&port=udp/1&secret=%zz': /expected % to begin the bytes of UTF-8 text/,
  'knocklib://h/ssh#token&port=udp/1&secret=a b': /expected ASCII characters of a URI/,
  'knocklib://h/ssh#token&port=udp/1&secret=short': /\/token\/secret: .* at least 16 bytes/,
  'knocklib://h/ssh#token&port=udp/1': /\/token\/secretFile: expected the path/,
  'knocklib://h/ssh#token&prot=udp/1&secret=0123456789abcdef':
    /\/token\/prot: expected no such key/,
  'knocklib://h/ssh#steps=1&addr=example.org': /\/addresses\/0: expected an IPv4 or IPv6 address/,
}

t.test('a wrong URI is refused with the reason', async (t) => {
  for (const [uri, message] of Object.entries(REFUSED)) {
    await t.rejects(profileFromUri(uri), { message }, uri)
  }
})

t.test('a profile that a URI cannot hold is refused', async (t) => {
  const refused: [KnockProfile, RegExp][] = [
    [{ steps: [1] }, /\/host: expected a name or an address, got nothing/],
    [{ host: 'h', oneTime: [[1]] }, /\/oneTime: expected a knock that needs no file/],
    [
      { host: 'h', token: { door: 'd', port: 'udp/1', secretFile: 'x' } },
      /\/token\/secretFile: expected the secret itself/,
    ],
    [{ host: 'h', token: { ...token, door: 'd', secret: `${SECRET}\ud800` } }, /half a character/],
  ]
  for (const [profile, message] of refused) await t.rejects(profileToUri(profile), { message })
})
