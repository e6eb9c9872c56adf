// A watch that goes on while tables are installed and removed and readers die: each gap is
// reported.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createNft, installKnock } from '../../../lib/index.js'
import { apply, CLIENT, NFT } from '../../machine/namespaces.js'
import { ServiceSetup } from '../../setups/service-setup.js'
import {
  groupsIn,
  knockAt,
  OPEN,
  prepareWatching,
  processOf,
  specOf,
  Watching,
} from '../../setups/watching.js'

const skip = await prepareWatching()

const test = (name: string, run: (t: Test) => Promise<void>) =>
  t.test(name, { skip, buffered: true }, run)

t.jobs = 2

test('a watch goes on while the table is replaced and removed', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  const nft = createNft({ binary: NFT, netns: server })
  await using watching = await Watching.begin(setup.knock)
  await installKnock(specOf({}, { for: '2s' }), { nft })
  t.ok(await watching.until('installed'), 'a table with other times is reported')
  await knockAt(setup, 4, ...OPEN)
  t.ok(
    await watching.until(`granted service ${CLIENT[4]} by=knock expiresIn=2`),
    'an event has the new times',
  )
  t.ok(await watching.until(`expired service ${CLIENT[4]}`), 'the end of the grant is reported')
  watching.take()

  await installKnock(specOf({ log: { group: 7 } }), { nft })
  t.ok(await watching.until('installed'), 'a table with another group is reported')
  t.ok(await watching.until('overrun', 20_000), 'lost events of the new group are reported')
  t.same([...(await groupsIn(server)).keys()], [7])
  await knockAt(setup, 6, ...OPEN)
  t.ok(await watching.until(`granted service ${CLIENT[6]}`), 'events of the new group are reported')
  watching.take()

  await setup.knock.uninstall()
  t.ok(await watching.until('removed'), 'the removal is reported')
  t.same(watching.take(), ['removed'])
  await installKnock(specOf(), { nft })
  t.ok(await watching.until('overrun', 20_000), 'lost events of the first group are reported')
  t.same(watching.take(), ['installed', 'overrun'])
  await knockAt(setup, 4, ...OPEN)
  t.ok(
    await watching.until(`granted service ${CLIENT[4]}`),
    'events of the first group are reported',
  )
  watching.take()

  await apply(server, 'flush chain inet knock input\n')
  t.ok(await watching.until('installed'), 'a change by hand is reported')
  await installKnock(specOf({ log: false }), { nft })
  t.match(await watching.over(), { error: { code: 'missing-capability' } })
})

test('a reader that dies is replaced, and the gap is reported', async (t) => {
  await using setup = await ServiceSetup.open(specOf())
  const { server } = setup.pair
  await using watching = await Watching.begin(setup.knock)
  for (const round of [1, 2]) {
    const port = (await groupsIn(server)).get(5) ?? 0
    process.kill(processOf(port), 'SIGKILL')
    t.ok(await watching.until('overrun'), `${round}: the gap is reported`)
    const isBack = async () => ![undefined, port].includes((await groupsIn(server)).get(5))
    for (let tries = 0; tries < 100 && !(await isBack()); tries += 1) await sleep(50)
    await knockAt(setup, 4, ...OPEN)
    t.ok(await watching.until(`granted service ${CLIENT[4]}`), `${round}: the watch goes on`)
    t.equal(watching.take()[0], 'overrun', 'the number of lost events is unknown')
  }
})
