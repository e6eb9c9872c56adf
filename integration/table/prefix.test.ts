// Doors whose sources are blocks, with real sockets → who knocks from one address of a block gets
// in from another; calls, events, saved states and installs name the block.
import t from 'tap'
import { createNft, installKnock, type KnockEvent, type KnockSpec } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { dial, greeting, listen, Talk } from '../machine/sockets.js'
import { until } from '../machine/until.js'
import { PacketSetup } from '../setups/packet-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) sweep()

t.jobs = 4

const FAMILIES = [4, 6] as const
const [PORT, ROAM] = [2222, 6010]
/** In the block of the client, and in no block of it. */
const OTHER: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.200', 6: 'fd00:77::ab:cd:1:4' }
const FAR: Readonly<Record<4 | 6, string>> = { 4: '10.99.1.9', 6: 'fd00:99::9' }
const BLOCK: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.0/24', 6: 'fd00:77::/64' }

const PREFIX = { ipv4: 24, ipv6: 64 }

const specOf = (open: object, guard: object = { prefix: { ipv6: 64 } }): KnockSpec =>
  ({
    guard,
    doors: [
      {
        name: 'service',
        service: `tcp/${PORT}`,
        knock: { type: 'sequence', steps: ['udp/7000', 'tcp/7001'], stepTimeout: '20s' },
        close: { type: 'sequence', steps: ['udp/7009'] },
        open: { for: '60s', ...open },
      },
      {
        name: 'roam',
        service: `udp/${ROAM}`,
        knock: { type: 'sequence', steps: ['udp/7002', 'udp/7003'] },
        open: { for: '60s', ...open },
      },
    ],
  }) as unknown as KnockSpec

const isOf = (event: KnockEvent, block: string | undefined): boolean =>
  (event as { readonly block?: string }).block === block

/** Whether a door refuses a connection from a source. A real client takes a second to say so. */
async function refuses(setup: PacketSetup, source: string, door = 'service', port = PORT) {
  const { denied } = await setup.counters(door)
  await setup.send(source, `tcp/${port}`)
  return (await setup.counters(door)).denied === denied + 1
}

async function openAt(spec: KnockSpec, binary: string): Promise<PacketSetup> {
  const setup = await PacketSetup.open(spec, binary)
  const add = (address: string) => ['address', 'add', address, 'dev', CABLE]
  for (const args of [
    add(`${OTHER[4]}/24`),
    add(`${FAR[4]}/32`),
    [...add(`${OTHER[6]}/64`), 'nodad'],
    [...add(`${FAR[6]}/128`), 'nodad'],
  ]) {
    await exec(setup.pair.client, 'ip', args)
  }
  return setup
}

/** Answers each datagram, at whatever address it came from: as mosh's server follows its client. */
const ECHO = `
  const socket = require('node:dgram').createSocket({ type: 'udp6' })
  socket.on('message', (data, { address, port }) => socket.send(data, port, address))
  socket.bind(${ROAM}, '::', () => console.log('ready'))
  process.stdin.on('end', () => process.exit()).resume()`

/** Sends each line as a datagram, and prints the answers. */
const DATAGRAMS = `
  const [host, source] = process.argv.slice(1)
  const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (data) => console.log(String(data).trim()))
  socket.bind(0, source, () => console.log('ready'))
  process.stdin.on('end', () => process.exit())
    .on('data', (line) => socket.send(line, ${ROAM}, host))`

async function datagrams(namespace: string, family: 4 | 6, source: string): Promise<Talk> {
  const talk = new Talk(namespace, DATAGRAMS, [SERVER[family], source])
  await talk.hear()
  return talk
}

for (const { version, path } of versions) {
  t.test(`a client changes its address, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await openAt(specOf({ prefix: PREFIX }), path)
    const { client, server } = setup.pair
    await using _service = await listen(server, PORT, 'hello')
    await using echo = new Talk(server, ECHO, [])
    await echo.hear()
    const from = (family: 4 | 6, source: string) =>
      greeting(client, SERVER[family], PORT, '-s', source)
    const knock = () => setup.knock.door('service')

    for (const family of FAMILIES) {
      const name = `IPv${family}`
      t.ok(await refuses(setup, OTHER[family]), `${name}: closed`)
      await setup.send(CLIENT[family], 'udp/7000', 'tcp/7001')
      t.equal(await from(family, OTHER[family]), 'hello', `${name}: from another of its block`)
      t.ok(await refuses(setup, FAR[family]), `${name}: not from another block`)
      t.match(
        await knock().grants(),
        [{ source: BLOCK[family] }],
        `${name}: the grant is the block`,
      )
      const grant = await knock().grantOf(OTHER[family])
      t.match(grant, { source: BLOCK[family] }, `${name}: any of its addresses finds it`)
      await setup.send(OTHER[family], 'udp/7009')
      t.ok(await refuses(setup, CLIENT[family]), `${name}: another address closed it`)
      t.same(await knock().grants(), [])
    }

    // Attempts are by address over IPv4, and by block over IPv6.
    for (const family of FAMILIES) {
      await setup.send(CLIENT[family], 'udp/7000')
      await setup.send(OTHER[family], 'tcp/7001')
      const expected = family === 4 ? [] : [{ source: BLOCK[6] }]
      t.match(await knock().grants(), expected, `IPv${family}: two addresses knock`)
    }
    await knock().close(OTHER[6])

    for (const family of FAMILIES) {
      const name = `IPv${family}`
      await using first = await datagrams(client, family, CLIENT[family])
      await using second = await datagrams(client, family, OTHER[family])
      await using far = await datagrams(client, family, FAR[family])
      await setup.send(CLIENT[family], 'udp/7002', 'udp/7003')
      t.equal(await first.say('one'), 'one', `${name}: the session begins`)
      t.equal(await second.say('two'), 'two', `${name}: it goes on from another address`)
      t.equal(await far.say('three', 0.3), 'nothing', `${name}: not from another block`)
      await setup.knock.door('roam').close(BLOCK[family])
      t.equal(await second.say('four'), 'four', `${name}: what was established lives on`)
    }
  })

  t.test(
    `connections are cut, redirected and counted for a block, nft ${version}`,
    {
      skip,
      buffered: true,
    },
    async (t) => {
      await using setup = await openAt(specOf({ prefix: PREFIX, established: 'cut' }), path)
      const { client, server } = setup.pair
      await using _service = await listen(server, PORT, 'hello')
      await using _moved = await listen(server, 2200, 'moved')
      const from = (family: 4 | 6, source: string) =>
        greeting(client, SERVER[family], PORT, '-s', source)
      for (const family of FAMILIES) {
        await setup.knock.door('service').open(OTHER[family])
        await using connection = dial(client, SERVER[family], PORT, CLIENT[family])
        t.equal(await connection.hear(), 'hello')
        t.equal(await connection.say('a'), 'hello a', `IPv${family}: it lives by the block's grant`)
        t.equal(await setup.knock.door('service').close(CLIENT[family]), true)
        t.equal(await connection.say('b'), 'ECONNRESET', `IPv${family}: and ends with it`)
      }
      await setup.install(specOf({ prefix: PREFIX, connections: 2 }))
      for (const family of FAMILIES) {
        await setup.send(CLIENT[family], 'udp/7000', 'tcp/7001')
        const answers = [
          await from(family, CLIENT[family]),
          await from(family, OTHER[family]),
          await from(family, CLIENT[family]),
        ]
        t.same(answers, ['hello', 'hello', 'nothing'], `IPv${family}: two for the block`)
      }
      const { doors } = specOf({ prefix: PREFIX, redirectTo: 2200 })
      await setup.install({ doors: doors.slice(0, 1) })
      for (const family of FAMILIES) {
        t.equal(await from(family, OTHER[family]), 'hello', `IPv${family}: the public service`)
        await setup.send(CLIENT[family], 'udp/7000', 'tcp/7001')
        t.equal(
          await from(family, OTHER[family]),
          'moved',
          `IPv${family}: redirected for the block`,
        )
        t.equal(await from(family, FAR[family]), 'hello', `IPv${family}: and for no other`)
      }
    },
  )

  t.test(
    `calls, events, bans and installs know blocks, nft ${version}`,
    {
      skip,
      buffered: true,
    },
    async (t) => {
      const ban = { after: 2, within: '1m', for: '10m' }
      const guard = { ban, prefix: { ipv6: 64 } }
      await using setup = await openAt(specOf({ prefix: PREFIX }, guard), path)
      const { knock } = setup
      const door = knock.door('service')
      const events: KnockEvent[] = []
      const watcher = knock.watch()
      await watcher.ready
      const heard = (async () => {
        for await (const event of watcher) events.push(event)
      })()
      const has = (event: string, block?: string) =>
        until(
          () => events.some((one) => one.event === event && isOf(one, block)),
          `${event} of ${block}`,
          () => JSON.stringify(events),
        )

      t.same(await door.openMany(['198.51.100.7', '198.51.100.200', '2001:db8::7'], { for: 60 }), [
        { door: 'service', source: '198.51.100.0/24', expiresIn: 60 },
        { door: 'service', source: '2001:db8::/64', expiresIn: 60 },
      ])
      await has('granted')
      t.match(
        events.filter(({ event }) => event === 'granted'),
        [{ source: '198.51.100.0/24', by: 'call' }, { source: '2001:db8::/64' }],
      )
      t.same(await door.closeMany(['2001:db8::9', '198.51.100.0/24']), [
        '2001:db8::/64',
        '198.51.100.0/24',
      ])
      await t.rejects(door.open('198.51.100.0/25'), { name: 'ArgumentError' })

      await setup.send(CLIENT[6], 'udp/7000', 'tcp/7001')
      await has('granted', BLOCK[6])
      t.match(events.at(-1), { event: 'granted', source: CLIENT[6], block: BLOCK[6], by: 'knock' })
      for (const source of [FAR[6], 'fd00:99::a', 'fd00:99::b']) {
        await setup.send(source, 'udp/7000', 'udp/7002')
      }
      await has('banned', 'fd00:99::/64')
      t.match((await knock.status()).bans, [{ source: 'fd00:99::/64' }])
      const { ignored } = (await knock.status()).counters
      await setup.send('fd00:99::c:1', 'udp/7000', 'tcp/7001')
      t.equal((await knock.status()).counters.ignored, ignored + 2, 'all of the block is ignored')

      const saved = await knock.save()
      t.match(saved.grants, [{ source: BLOCK[6] }])
      t.match(saved.bans, [{ source: 'fd00:99::/64' }])
      t.equal(await knock.unban('fd00:99::77'), true)
      await door.close(BLOCK[6])
      t.match((await knock.restore(saved)).restored, { grants: 1, bans: 1 })
      t.match(await knock.bans(), [{ source: 'fd00:99::/64' }])

      const nft = createNft({ binary: path, netns: setup.pair.server })
      const install = (open: object, own: object = guard) =>
        installKnock(specOf(open, own), { nft })
      t.equal((await install({ prefix: PREFIX })).outcome, 'unchanged')
      t.equal((await install({ prefix: PREFIX, for: '90s' })).outcome, 'changed')
      t.match(await door.grants(), [{ source: BLOCK[6] }], 'grants stay under the same prefix')
      for (const prefix of [{ ipv4: 24, ipv6: 48 }, {}, { ipv6: 72 }]) {
        await install(Object.keys(prefix).length > 0 ? { prefix } : {})
        t.same(await door.grants(), [], `no grant gets another block: ${JSON.stringify(prefix)}`)
        await install({ prefix: PREFIX })
        t.same(await door.grants(), [], 'and none comes back')
        await door.open(OTHER[6])
      }
      await install({ prefix: PREFIX }, { ban, prefix: { ipv4: 24, ipv6: 48 } })
      t.match(await knock.bans(), [{ source: 'fd00:99::/48' }], 'a ban gets wider')
      await install({ prefix: PREFIX }, guard)
      t.same(await knock.bans(), [], 'and never narrower')
      await install({ prefix: PREFIX }, { ban, prefix: { ipv6: 48 } })
      t.match((await knock.restore(saved)).restored, { grants: 0, bans: 1 })
      await knock[Symbol.asyncDispose]()
      await watcher[Symbol.asyncDispose]()
      await heard
    },
  )

  t.test(
    `doors that share their sets know blocks, nft ${version}`,
    {
      skip,
      buffered: true,
    },
    async (t) => {
      const others = Array.from({ length: 33 }, (_, index) => ({
        name: `other${index}`,
        service: `tcp/${100 + index}`,
        knock: {
          type: 'sequence',
          steps: [`tcp/${20000 + 2 * index}`, `udp/${20001 + 2 * index}`],
        },
        open: { for: '60s', prefix: { ipv4: 24, ipv6: 64 } },
      }))
      const spec = (prefix: object): KnockSpec =>
        ({
          guard: { prefix: { ipv6: 64 } },
          doors: others.map((door) => ({ ...door, open: { ...door.open, prefix } })),
        }) as unknown as KnockSpec
      await using setup = await openAt(spec(PREFIX), path)
      const { client, server } = setup.pair
      await using _service = await listen(server, 101, 'hello')
      const from = (family: 4 | 6, source: string) =>
        greeting(client, SERVER[family], 101, '-s', source)
      const nft = createNft({ binary: path, netns: server })
      const door = setup.knock.door('other1')
      const listing = await exec(server, path, [
        'list',
        'set',
        'inet',
        'knock',
        'admitted_tcp_4p24',
      ])
      t.equal(listing.code, 0, 'they share their grants')
      for (const family of FAMILIES) {
        await setup.send(CLIENT[family], 'tcp/20002')
        await setup.send(family === 4 ? CLIENT[4] : OTHER[6], 'udp/20003')
        t.equal(await from(family, OTHER[family]), 'hello', `IPv${family}: the block gets in`)
        t.ok(await refuses(setup, FAR[family], 'other1', 101), `IPv${family}: and no other`)
      }
      t.same((await door.grants()).map(({ source }) => source).sort(), [BLOCK[4], BLOCK[6]])
      t.same(await setup.knock.door('other2').grants(), [])
      t.equal((await installKnock(spec(PREFIX), { nft })).outcome, 'unchanged')
      const saved = await setup.knock.save()
      await installKnock(spec({ ipv4: 24 }), { nft })
      t.match(
        await door.grants(),
        [{ source: BLOCK[4] }],
        'the family that is unchanged keeps them',
      )
      t.equal((await setup.knock.restore(saved)).restored.grants, 0)
      const few = { ...spec({ ipv4: 24 }), doors: spec({ ipv4: 24 }).doors.slice(0, 3) }
      await installKnock(few, { nft })
      t.match(await door.grants(), [{ source: BLOCK[4] }], 'a door alone keeps them')
      t.equal(await from(4, OTHER[4]), 'hello')
      t.equal(await door.close(OTHER[4]), true)
      t.ok(await refuses(setup, OTHER[4], 'other1', 101))
    },
  )
}
