// Doors whose sources are blocks, with real sockets → who knocks from one address of a block gets
// in from another, and connections are cut, redirected and counted for the block.
import t from 'tap'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, SERVER, sweep } from '../../machine/namespaces.js'
import { versionsOrSkip } from '../../machine/nft-versions.js'
import { dial, greeting, listen, Talk } from '../../machine/sockets.js'
import {
  BLOCK,
  datagrams,
  ECHO,
  FAMILIES,
  FAR,
  OTHER,
  openAt,
  PORT,
  PREFIX,
  refuses,
  specOf,
} from './prefix-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) sweep()

t.jobs = 4

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
}
