// What a knock opens, with real sockets: for one source or for all, for new connections or for
// established ones too.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { apply, CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { testOldAndNew, versionsOrSkip } from '../machine/nft-versions.js'
import { dial, greeting, listen } from '../machine/sockets.js'
import { host, PacketSetup } from '../setups/packet-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) sweep()

const FAMILIES = [4, 6] as const
const PORT = 2222
const OTHER: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.4', 6: 'fd00:77::4' }

const doorWith = (open: object, parts: object = {}) => ({
  name: 'service',
  service: `tcp/${PORT}`,
  knock: { type: 'sequence', steps: ['udp/7000'] },
  open: { for: '60s', ...open },
  ...parts,
})

/** Gives the client a second address of each family. */
async function becomeTwo({ pair }: PacketSetup): Promise<void> {
  for (const [family, bits, ...options] of [
    [4, 24],
    [6, 64, 'nodad'],
  ] as const) {
    const address = `${OTHER[family]}/${bits}`
    await exec(pair.client, 'ip', ['address', 'add', address, 'dev', CABLE, ...options])
  }
}

const onEach = (name: string, run: (t: Test, binary: string) => Promise<void>) =>
  testOldAndNew(t, { versions, skip }, name, run)

t.jobs = 4

onEach('a door opens to everyone', async (t, binary) => {
  const ban = { guard: { ban: { after: 3, within: 60, for: 60 } } }
  for (const family of FAMILIES) {
    await using setup = await PacketSetup.open(
      { doors: [doorWith({ for: 4, scope: 'everyone' })], ...ban },
      binary,
    )
    await becomeTwo(setup)
    const { client, server } = setup.pair
    await using _service = await listen(server, PORT, 'hello')
    const reach = (to: 4 | 6) => greeting(client, SERVER[to], PORT, '-s', OTHER[to])
    t.equal(await reach(4), 'nothing')
    await setup.send(CLIENT[family], 'udp/7000')
    t.same(
      await Promise.all(FAMILIES.map(reach)),
      ['hello', 'hello'],
      `a knock over IPv${family} opens for others, over both families`,
    )
    t.same(await setup.granted(), ['everyone'])
    t.match(await setup.counters(), { knocks: 1, grants: 1 })
    await sleep(4300)
    t.same(
      await Promise.all(FAMILIES.map(reach)),
      ['nothing', 'nothing'],
      'the door is shut when the grant ends',
    )
  }
})

onEach('each of two doors opens the same service', async (t, binary) => {
  const knock = { type: 'sequence', steps: ['udp/8000'] }
  const own = doorWith({})
  const all = doorWith({ scope: 'everyone', for: 4 }, { name: 'all', knock })
  for (const doors of [
    [own, all],
    [all, own],
  ]) {
    await using setup = await PacketSetup.open({ doors }, binary)
    await becomeTwo(setup)
    const { client, server } = setup.pair
    await using _service = await listen(server, PORT, 'hello')
    const reach = (source: string) => greeting(client, SERVER[4], PORT, '-s', source)
    const both = () => Promise.all([CLIENT[4], OTHER[4]].map(reach))
    t.same(await both(), ['nothing', 'nothing'])
    await setup.send(CLIENT[4], 'udp/7000')
    t.same(await both(), ['hello', 'nothing'], 'the door is open to one source')
    await setup.send(CLIENT[4], 'udp/8000')
    t.same(await both(), ['hello', 'hello'], 'the door is open to all sources')
    await sleep(4300)
    t.same(await both(), ['hello', 'nothing'], 'the door is open to one source again')
  }
})

onEach('connections end with the grant', async (t, binary) => {
  const doors = [
    doorWith({ for: 5, established: 'cut' }),
    doorWith(
      {},
      { name: 'kept', service: 'tcp/2223', knock: { type: 'sequence', steps: ['udp/7001'] } },
    ),
  ]
  await Promise.all(
    FAMILIES.map(async (family) => {
      await using setup = await PacketSetup.open({ doors }, binary)
      const { client, server } = setup.pair
      const [here, there] = [SERVER[family], CLIENT[family]]
      await using service = await listen(server, PORT, 'hello')
      await using _kept = await listen(server, 2223, 'kept')
      await using _open = await listen(server, 2224, 'open')
      await using _outside = await listen(client, 3000, 'outside')
      await setup.send(there, 'udp/7000', 'udp/7001')
      await using cut = dial(client, here, PORT)
      await using kept = dial(client, here, 2223)
      await using open = dial(client, here, 2224)
      // An outgoing connection from the door's port number differs only by its direction.
      await using own = dial(server, there, 3000)
      const heard = () => Promise.all([cut, kept, open, own].map((one) => one.hear()))
      t.same(await heard(), ['hello', 'kept', 'open', 'outside'], `IPv${family}`)
      t.equal(await cut.say('a'), 'hello a')
      t.equal(await service.say('?'), '1')
      await sleep(5300)
      const said = await Promise.all([cut, kept, open, own].map((one) => one.say('b')))
      t.same(
        said,
        ['ECONNRESET', 'kept b', 'open b', 'outside b'],
        'only the connection of the ended grant is cut',
      )
      t.match(await setup.counters(), { grants: 1 })
      t.ok((await setup.counters()).denied >= 1)

      await setup.send(there, 'udp/7000')
      await using again = dial(client, here, PORT)
      t.equal(await again.hear(), 'hello')
      await setup.knock.door('service').close(there)
      t.equal(await again.say('c'), 'ECONNRESET', 'the connection is cut when the grant is closed')
    }),
  )
})

onEach('a connection that cannot be counted does not use up the grant', async (t, binary) => {
  const ROOM = 8
  const spec = { doors: [doorWith({ connections: 3 })], guard: { capacity: ROOM } }
  await using setup = await PacketSetup.open(spec, binary)
  const nft = async (...args: readonly string[]) => {
    const { code, stderr } = await exec(setup.pair.server, binary, args)
    t.equal(code, 0, stderr)
  }
  for (const family of FAMILIES) {
    const me = CLIENT[family]
    const connect = async () => {
      await setup.send(me, `tcp/${PORT}`)
      return (await setup.granted()).includes(me)
    }
    const used = ['inet', 'knock', `used1_service_${family}`]
    const others = Array.from({ length: ROOM }, (_, i) => `${host(i + 1, family)} timeout 60s`)
    await nft('add', 'element', ...used, `{ ${others.join(', ')} }`)
    await setup.send(me, 'udp/7000')
    const before = await setup.counters()
    t.equal(await connect(), true, `IPv${family}: there is no room, and the grant stays`)
    t.equal((await setup.counters()).denied, before.denied + 1, 'the connection is refused')
    await nft('flush', 'set', ...used)
    const later: boolean[] = []
    for (let connection = 1; connection <= 3; connection += 1) later.push(await connect())
    t.same(later, [true, true, false], 'the grant still has all three connections')
    t.equal((await setup.counters()).denied, before.denied + 1)
  }
  t.match(await setup.counters(), { grants: 2, closes: 2 })
})

onEach('a mark is for the host’s own firewall', async (t, binary) => {
  await using setup = await PacketSetup.open(
    { doors: [doorWith({ mark: 77 })], guard: { trusted: [OTHER[4]] } },
    binary,
  )
  await becomeTwo(setup)
  const { client, server } = setup.pair
  await using _service = await listen(server, PORT, 'hello')
  await apply(
    server,
    `table inet own {
      chain in {
        type filter hook input priority 0; policy drop
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        ct state established accept
        meta mark 77 accept
      }
    }`,
    binary,
  )
  t.equal(
    await greeting(client, SERVER[4], PORT, '-s', OTHER[4]),
    'hello',
    'a trusted source is let in',
  )
  for (const family of FAMILIES) {
    t.equal(await greeting(client, SERVER[family], PORT, '-s', CLIENT[family]), 'nothing')
    await setup.send(CLIENT[family], 'udp/7000')
    t.equal(
      await greeting(client, SERVER[family], PORT, '-s', CLIENT[family]),
      'hello',
      `IPv${family}`,
    )
  }
  await setup.knock.uninstall()
  t.equal(
    await greeting(client, SERVER[4], PORT),
    'nothing',
    'the service is closed without the table',
  )
})
