// Doors whose sources are blocks → calls, events, bans, saved states, installs and shared doors
// know the block.
import t from 'tap'
import { createNft, installKnock, type KnockEvent, type KnockSpec } from '../../../lib/index.js'
import { missing } from '../../machine/capabilities.js'
import { CLIENT, exec, SERVER, sweep } from '../../machine/namespaces.js'
import { versionsOrSkip } from '../../machine/nft-versions.js'
import { greeting, listen } from '../../machine/sockets.js'
import { until } from '../../machine/until.js'
import {
  BLOCK,
  FAMILIES,
  FAR,
  isOf,
  OTHER,
  openAt,
  PREFIX,
  refuses,
  specOf,
} from './prefix-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) sweep()

t.jobs = 4

for (const { version, path } of versions) {
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
