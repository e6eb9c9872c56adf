// What openDoor says of a port: open, refused, filtered, or that it was not tried.
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { openDoor, openPrepared } from './open-door.js'
import type { PreparedKnock } from './send.js'
import type { Answer } from './system/system.js'

const HOST = '127.0.0.1'
/** Nobody can connect to everyone. */
const NOWHERE = '255.255.255.255'
const steps = { steps: ['udp/9'] }
const NO_GAP = { gap: 0 }

async function listen(t: Test): Promise<{ port: number; count: () => number }> {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {}).resume()
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, count: () => connections }
}

t.test('the result is open, or refused if nothing listens any more', async (t) => {
  const { port } = await listen(t)
  const sent = { host: HOST, kind: 'steps', packets: 1, addresses: [HOST], port, address: HOST }
  const open = { ...sent, verdict: 'open', knocks: 1 }
  t.same(await openDoor(HOST, { ...steps, port }, NO_GAP), open)
  t.same(
    await openDoor(HOST, { ...steps, port: 1 }, { ...NO_GAP, port }),
    open,
    'the port of the call counts, not that of the profile',
  )
  const refused = await openDoor(HOST, { ...steps, port: 1 }, NO_GAP)
  t.same(refused, { ...open, verdict: 'refused', port: 1 })
})

t.test('a door that counts connections is not tested by a connection', async (t) => {
  const { port, count } = await listen(t)
  const said = await openDoor(HOST, { ...steps, port, connections: 1 }, NO_GAP)
  t.match(said, { verdict: 'unknown', port, knocks: 1 })
  t.notOk('address' in said)
  t.equal(count(), 0)
})

t.test('an impossible test is refused before the knock', async (t) => {
  const code = 'invalid-argument'
  const noPort = /^openDoor: port: expected the TCP port of the service.*got nothing$/
  await t.rejects(openDoor(NOWHERE, steps), { code, message: noPort })
  for (const port of [0, 65_536, 1.5]) {
    await t.rejects(openDoor(NOWHERE, steps, { port }), { code }, String(port))
  }
  const within = /^openDoor: within: expected .* got "soon"$/
  await t.rejects(openDoor(NOWHERE, steps, { port: 1, within: 'soon' }), { code, message: within })
})

/** A knock at two addresses of a system that gives these answers, one after the other. */
function prepare(knock: object, answers: Answer[]) {
  const sent: string[] = []
  const done = Promise.resolve()
  const system = {
    senderTo:
      ({ address }: { address: string }) =>
      () => {
        sent.push(address)
        return { left: done, over: done }
      },
    probe: async () => answers.shift() ?? 'filtered',
  }
  const addresses = [
    { family: 4, address: '192.0.2.1' },
    { family: 6, address: '2001:db8::1' },
  ]
  const parts = { host: 'h', file: undefined, secret: undefined, milliseconds: 0 }
  return { sent, prepared: { ...parts, knock, addresses, system } as unknown as PreparedKnock }
}
const step = { protocol: 'udp', port: 9 }

t.test('it knocks at most three times while nothing answers', async (t) => {
  const { prepared, sent } = prepare({ kind: 'steps', steps: [step] }, [])
  t.match(await openPrepared(prepared, 22, 60, {}), { verdict: 'filtered', knocks: 3 })
  t.equal(sent.length, 6)
})

t.test('it knocks again until an address is open', async (t) => {
  const knock = { kind: 'steps', steps: [step] }
  const { prepared } = prepare(knock, ['filtered', 'filtered', 'filtered', 'open'])
  const found = { verdict: 'open', knocks: 2, address: '2001:db8::1' }
  t.match(await openPrepared(prepared, 22, 60, {}), found)
})

t.test('it never sends a one-time sequence again', async (t) => {
  const { prepared } = prepare({ kind: 'oneTime', sequences: [[step]] }, [])
  t.match(await openPrepared(prepared, 22, 60, {}), { verdict: 'filtered', knocks: 1 })
})
