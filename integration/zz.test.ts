import t from 'tap'
import { renderKnock } from '../lib/knock.js'
import { renderText } from '../lib/nft/text.js'
import { apply, createPair } from './namespaces.js'
import { versionsOrSkip } from './nft-versions.js'
import { door, sequence, spec } from './specs.js'

const { versions } = await versionsOrSkip()
const specs: Record<string, any> = {
  all4: spec({ address: '0.0.0.0/0' }),
  all6: spec({ address: '::/0' }),
  all: spec({ address: ['0.0.0.0/0', '::/0'] }),
  trustall: spec({}, { guard: { trusted: ['0.0.0.0/0', '::/0'] } }),
  trust4: spec({}, { guard: { trusted: ['0.0.0.0/0'] } }),
  adj: spec(
    {},
    { guard: { trusted: ['10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/24', '::/1', '8000::/1'] } },
  ),
  half: spec({}, { guard: { trusted: ['0.0.0.0/1', '128.0.0.0/1', '255.255.255.255'] } }),
  edge: spec(
    {},
    {
      guard: {
        trusted: ['255.255.255.255', '0.0.0.0', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
      },
    },
  ),
  adjaddr: spec({ address: ['10.0.0.0/25', '10.0.0.128/25', '10.0.1.0'] }),
  ifs: spec({}, { interfaces: ['eth0', 'eth*'] }),
  ifs2: spec({}, { interfaces: ['eth*', 'e*'] }),
  ifs3: spec(
    {},
    { interfaces: ['lo', 'eth0.100', 'a@b', '-x', '1', 'abcdefghijklmno', 'abcdefghijklmn*'] },
  ),
  ifone: spec({}, { interfaces: ['eth*'] }),
  ifother: spec({}, { interfaces: ['*'.replace('*', 'x*'), 'drop', 'accept', 'lo'] }),
  ports: spec({
    service: ['tcp/1-100', 'tcp/101-200', 'udp/65535', 'udp/1-65534'],
    knock: sequence({ steps: ['tcp/7000'] }),
  }),
  allports: spec({ service: ['tcp/1-65535'], knock: sequence({ steps: ['udp/7000'] }) }),
  ign: spec({}, { guard: { ignore: ['tcp/1-21', 'udp/9000-65535', 'tcp/65535'] } }),
  compat: spec({ address: ['::1.2.3.4', '::ffff:1.2.3.4', '64:ff9b::1.2.3.4', '::', '::1'] }),
  len: spec({
    knock: sequence({
      steps: [
        { protocol: 'udp', port: 7, length: 65507 },
        { protocol: 'icmp', length: 65507 },
        { protocol: 'icmpv6', length: 0 },
      ],
    }),
  }),
  flags0: spec({
    knock: sequence({
      steps: [
        { protocol: 'tcp', port: 7, flags: '!fin,!syn,!rst,!psh,!ack,!urg,!ece,!cwr' },
        { protocol: 'tcp', port: 8, flags: 'fin,syn,rst,psh,ack,urg,ece,cwr' },
        { protocol: 'tcp', port: 8, flags: 'fin' },
        { protocol: 'tcp', port: 8, flags: '!cwr' },
      ],
    }),
  }),
  long: spec(
    {
      name: 'a'.repeat(32),
      knock: sequence({
        steps: Array.from({ length: 32 }, (_, i) => `tcp/${65000 + i}`),
        timeout: '1h',
        stepTimeout: '30m',
      }),
      close: sequence({ steps: ['tcp/7', 'icmp'] }),
      open: { for: '365d', connections: 8 },
    },
    { table: 'b'.repeat(32) },
  ),
  max: spec({ open: { for: 31536000 } }, { guard: { capacity: 16777216 } }),
  min: spec({}, { guard: { capacity: 1 } }),
  same: {
    doors: [
      door({ address: '10.0.0.1' }),
      door({ name: 'b', address: '10.0.0.2' }),
      door({ name: 'c', service: 'tcp', address: '10.0.0.3' }),
    ],
  },
  any2: {
    doors: [
      door({ service: 'any', address: '10.0.0.1' }),
      door({ name: 'b', service: 'any', address: '10.0.0.2' }),
      door({ name: 'c', service: ['tcp/5', 'udp'], address: '::3' }),
    ],
  },
}
t.test('x', async (t) => {
  for (const { version, path } of versions) {
    await using pair = await createPair()
    for (const [name, s] of Object.entries(specs)) {
      let doc: any
      try {
        doc = renderKnock(s)
      } catch (e) {
        t.fail(`${name} ${(e as Error).message}`)
        continue
      }
      try {
        await apply(pair.server, doc, path)
        t.pass(name)
      } catch (e) {
        t.fail(`${version} ${name} JSON ${(e as Error).message.slice(0, 300)}`)
      }
      try {
        await apply(pair.server, renderText(doc), path)
        t.pass(name)
      } catch (e) {
        t.fail(`${version} ${name} TEXT ${(e as Error).message.slice(0, 300)}`)
      }
    }
  }
})
