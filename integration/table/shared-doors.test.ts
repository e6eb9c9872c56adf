// Many doors that share their sets → a table over time: knocked, opened, watched, changed, saved.
import t from 'tap'
import {
  attachKnock,
  createNft,
  installKnock,
  type KnockEvent,
  type KnockSpec,
} from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CLIENT, SERVER } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { doorOf, FAMILIES, PORT, ServiceSetup } from '../setups/service-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc')

const STEPS = ['tcp/7000', 'udp/8000', 'tcp/9000']
const GRANTED = ['10.1.1.1', CLIENT[4], CLIENT[6]].sort()
const KNOCK = ['7000', '8000:udp', '9000:tcp']

type Doors = { -readonly [Key in keyof KnockSpec]: KnockSpec[Key] }['doors']

/** Doors before ports that nothing listens at, with knock ports of their own. */
const others = (count: number): Doors =>
  Array.from({ length: count }, (_, index) => ({
    name: `other${index}`,
    service: `tcp/${100 + index}`,
    knock: {
      type: 'sequence' as const,
      steps: [`tcp/${20000 + 2 * index}`, `udp/${20001 + 2 * index}`],
      stepTimeout: '20s',
    },
    open: { for: '60s' },
  }))

const specOf = (count: number, parts: object = {}): KnockSpec => ({
  doors: [...doorOf(STEPS, parts).doors, ...others(count)],
})

for (const { version, path } of versions) {
  t.test(`doors that share their sets, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await ServiceSetup.open(specOf(39), path)
    const { knock, pair } = setup
    const nft = createNft({ binary: path, netns: pair.server })
    const own = async () => (await knock.status()).doors.find(({ name }) => name === 'service')
    const sources = async () => (await own())?.grants.map(({ source }) => source).sort()
    const events: KnockEvent[] = []
    const watcher = knock.watch()
    await watcher.ready
    const heard = (async () => {
      for await (const event of watcher) events.push(event)
    })()

    for (const family of FAMILIES) {
      t.equal(await setup.answers(family), false, `IPv${family}: closed before`)
      await setup.run('knock', `-${family}`, '-d', '50', SERVER[family], ...KNOCK.slice(0, 2))
      t.match((await own())?.progress, [{ source: CLIENT[family], stage: 2, of: 3 }])
      await setup.run('knock', `-${family}`, SERVER[family], '20000')
      t.same((await own())?.progress, [], `IPv${family}: another door's knock resets`)
      await setup.run('knock', `-${family}`, '-d', '50', SERVER[family], ...KNOCK)
      t.equal(await setup.answers(family), true, `IPv${family}: open after`)
    }
    t.match((await knock.counters())['service'], { knocks: 10, grants: 2, resets: 2 })
    t.match((await knock.counters())['other0'], { knocks: 2, grants: 0, resets: 2 })

    const door = knock.door('service')
    await door.open('10.1.1.1', { for: 100 })
    t.match(await door.grantOf('10.1.1.1'), { source: '10.1.1.1', door: 'service' })
    t.equal(await knock.door('other1').grantOf('10.1.1.1'), undefined)
    await knock.door('other1').openMany(['10.1.1.1', 'fd00::7'])
    t.equal((await door.grants()).length, 3)
    t.equal((await knock.door('other1').grants()).length, 2)
    t.equal(await knock.door('other1').close('10.1.1.1'), true)
    t.equal(await knock.door('other1').close('10.1.1.1'), false)
    t.equal((await door.grants()).length, 3, 'the grant of another door ended')
    const saved = await knock.save()
    t.equal(saved.grants.length, 4)

    const again = await installKnock(specOf(39), { nft })
    t.equal(again.outcome, 'unchanged')
    const more = await installKnock(specOf(40), { nft })
    t.equal(more.outcome, 'changed')
    t.same(await sources(), GRANTED, 'grants stay when one door is added')
    t.match((await knock.counters())['service'], { knocks: 10, grants: 2 }, 'counters stay')

    const few = await installKnock(specOf(3), { nft })
    t.equal(few.outcome, 'changed')
    t.same(await sources(), GRANTED, 'grants stay when doors no longer share sets')
    t.equal((await few.door('other1').grants()).length, 1)
    for (const family of FAMILIES) t.equal(await setup.answers(family), true, `IPv${family}`)
    await installKnock(specOf(39), { nft })
    t.same(await sources(), GRANTED, 'grants stay when doors share sets again')

    const moved = await installKnock(specOf(39, { service: `tcp/${PORT + 1}` }), { nft })
    t.same(await sources(), GRANTED, 'grants stay when the port changes')
    t.equal(await setup.answers(4), true, 'the old port has no door')
    await installKnock({ doors: others(39) }, { nft })
    const back = await installKnock(specOf(39), { nft })
    t.same((await back.door('service').grants()).length, 0, 'a door that was removed has no grant')
    t.equal(await setup.answers(4), false, 'the door is closed')
    await back.restore(saved)
    t.equal((await back.door('service').grants()).length, 3, 'the grants are restored')
    t.equal(await setup.answers(4), true)
    t.equal((await moved.status()).doors.length, 40)

    const attached = await attachKnock({ nft })
    t.match((await attached.status()).doors.length, 40)
    await attached.door('other1').open('10.1.1.2')
    t.equal((await attached.closeAll()).length, 5, 'every grant is closed at once')
    for (const family of FAMILIES) t.equal(await setup.answers(family), false, `IPv${family}`)
    t.same(await attached.closeAll(), [])
    await watcher[Symbol.asyncDispose]()
    await heard
    const of = (event: string) => events.filter((one) => one.event === event)
    t.match(of('knock')[0], { door: 'service', source: CLIENT[4], stage: 1, of: 3 })
    t.match(
      of('granted').filter((event) => 'by' in event && event.by === 'knock'),
      FAMILIES.map((family) => ({ door: 'service', source: CLIENT[family], stage: 3, of: 3 })),
    )
    t.match(of('reset')[0], { door: 'service', stage: 2, of: 3 })
    t.match(of('denied')[0], { door: 'service', service: `tcp/${PORT}` })
    const closed = of('closed').flatMap((event) =>
      event.event === 'closed' && event.by === 'call' ? [`${event.door} ${event.source}`] : [],
    )
    const atOnce = [
      'other1 10.1.1.2',
      'other1 fd00::7',
      ...GRANTED.map((source) => `service ${source}`),
    ]
    t.same([closed[0], closed.slice(1).sort()], ['other1 10.1.1.1', atOnce])
  })
}
