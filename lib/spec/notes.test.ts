// A valid spec → remarks about parts that are easily misunderstood.
import t from 'tap'
import { sequence, spec } from '../../integration/fixtures/specs.js'
import { notesOf } from './notes.js'
import { validateSpec } from './validate.js'

const pathsOf = (parts: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  notesOf(validateSpec(spec(parts, more))).map(({ path }) => path)

t.test('a UDP service with limited addresses gives a note', async (t) => {
  const address = '10.77.0.1'
  t.same(pathsOf({ service: 'udp/53', address }), ['/doors/0/address'])
  t.same(pathsOf({ service: ['tcp/53', 'udp/53'], address }), ['/doors/0/address'])
  t.same(pathsOf({ service: 'any', address }), ['/doors/0/service', '/doors/0/address'])
  const both = [address, 'fd00:77::1', '224.0.0.0/4']
  t.same(
    pathsOf({ service: 'udp/53', address: both }),
    ['/doors/0/address'],
    'only the IPv4 broadcast is missing',
  )
  t.same(
    pathsOf({ service: 'udp/53', address: [...both, 'ff00::/8'] }),
    [],
    'all addresses are named',
  )
  t.same(
    pathsOf({ service: 'tcp/53', address }),
    [],
    'TCP needs no note, because it has no broadcast',
  )
  t.same(pathsOf({ service: 'udp/53' }), [], 'without addresses all destinations are judged')
  t.same(pathsOf({ service: 'udp/53', address }, { hook: 'forward' }), [], 'another host listens')
})

t.test('tokens that open before their period give a note', async (t) => {
  const users = [{ name: 'ana', secretFile: '/etc/knock/ana.key' }]
  const token = (parts: Record<string, unknown>) => {
    return { type: 'token', port: 'udp/6000', period: '30s', users, ...parts }
  }
  const both = spec({ knock: [sequence(), token({ horizon: '36h' })] })
  t.match(notesOf(validateSpec(both)), [
    { path: '/doors/0/knock/1', message: /token of ssh opens .* up to 36h before its period/ },
  ])
  const [byDefault] = notesOf(validateSpec(spec({ knock: token({}) })))
  t.match(byDefault, { path: '/doors/0/knock', message: /up to 7d before/ })
  t.same(pathsOf({}), [], 'a spec without tokens has no note')
  const stun = (port: string) => pathsOf({ knock: token({ carrier: 'stun', port }) })
  t.same(
    stun('udp/443'),
    ['/doors/0/knock', '/doors/0/knock/port'],
    'a STUN port that is no usual one gives a second note',
  )
  t.same(stun('udp/3478'), ['/doors/0/knock'])
  t.same(
    pathsOf({ knock: token({ port: 'udp/443' }) }),
    ['/doors/0/knock'],
    'a UDP token has no note about browsers',
  )
})

t.test('a redirect to another host gives a note', async (t) => {
  const redirect = (redirectTo: unknown) => ({ open: { for: 30, redirectTo } })
  t.same(pathsOf(redirect('192.0.2.7:22')), ['/doors/0/open/redirectTo'])
  t.same(pathsOf(redirect(9000)), [], 'the target port of this host is closed')
})

t.test('a spec with actions gives a note that something must do them', async (t) => {
  const actions = [{ on: ['granted'], post: 'https://ntfy.example/' }]
  t.same(pathsOf({}, { actions }), ['/actions'])
})

t.test('a block of many customers gives a note', async (t) => {
  const wide = (prefix: object) => pathsOf({ open: { for: 30, prefix } })
  t.same(wide({ ipv4: 24, ipv6: 48 }), [])
  t.same(wide({ ipv4: 23 }), ['/doors/0/open/prefix'])
  t.same(wide({ ipv6: 47 }), ['/doors/0/open/prefix'])
})
