// docs/start/cookbook/: the recipes in which time is part of the knock, set up as their pages say
// and knocked at with the pages' own lines.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Page } from '../cookbook/page.js'
import { PageSetup } from '../cookbook/page-setup.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { type Output, sweep } from '../machine/namespaces.js'
import { again } from '../machine/until.js'
import { FAMILIES } from '../setups/service-setup.js'

const skip = missing('hping3', 'nc', 'ssh', 'telnet')
if (!skip) {
  sweep()
  build()
}

t.jobs = 4

const isIn = ({ code }: Output): boolean => code === 0

/** A command that sends one SYN and gives up before it is retransmitted. */
const TRY = 'nc -z -w 1 server.example'

t.test('one port by rate', { skip, buffered: true }, async (t) => {
  const page = new Page('single-port')
  await using setup = await PageSetup.open(page)
  await setup.install()
  await setup.write('rate.json')
  const play = async (family: 4 | 6) => {
    for (const mark of page.marks('client: ')) {
      const client = await again(() => setup.client(mark, family), isIn)
      t.match(client, { code: 0 }, `IPv${family}: ${mark}`)
      await setup.revoke(family)
    }
    const fast = await setup.atClient(`for i in 1 2 3; do ${TRY} 22; done; ${TRY} 22`, family)
    t.not(fast.code, 0, `IPv${family}: too fast`)
    const still = await setup.atClient(`sleep 3; ${TRY} 22`, family)
    t.not(still.code, 0, `IPv${family}: not before 5 s of silence`)
    await sleep(5_000)
    const waits = await setup.atClient('nc -z -w 8 server.example 22', family)
    t.not(waits.code, 0, `IPv${family}: a connection that waits`)
  }
  await Promise.all(FAMILIES.map(play))
  t.same(page.left, [])
})

t.test('one port by rate: the grant ends', { skip, buffered: true }, async (t) => {
  await using setup = await PageSetup.open(new Page('single-port'))
  await setup.install()
  const twice = async () => [await setup.client('client: nc'), await setup.logsIn()] as const
  const [first, second] = await again(twice, (seen) => isIn(seen[0]) && seen[1])
  t.match(first, { code: 0 }, 'in')
  t.ok(second, 'a second login while the grant lasts')
  await sleep(10_000)
  t.ok(await setup.isShut(), 'shut after 10 s')
})

const RHYTHM = new Page('rhythm')

for (const [index, mark] of RHYTHM.marks('client: ').entries()) {
  t.test(`a rhythm, ${mark}`, { skip, buffered: true }, async (t) => {
    await using setup = await PageSetup.open(RHYTHM)
    await setup.install()
    await setup.write('rhythm.json')
    t.match(await setup.server('server: redirect'), { code: 0 })
    const families = mark.endsWith('hping3') ? ([4] as const) : FAMILIES
    const play = async (family: 4 | 6) => {
      const client = await again(() => setup.client(mark, family), isIn)
      t.match(client, { code: 0 }, `IPv${family}: ${mark}`)
      t.ok(await setup.isShut(family), `IPv${family}: 22 is shut`)
      t.ok(await setup.isShut(family, 443), `IPv${family}: shut after one connection`)
      if (index > 0) return
      await sleep(5_000)
      const wrong = RHYTHM.block('client: bash').replace('1 2 3 4', '1 3 2 4')
      const { code } = await setup.atClient(wrong, family)
      t.not(code, 0, `IPv${family}: 1-3-2-4`)
    }
    await Promise.all(families.map(play))
  })
}

t.test('every block of the page about rhythms has run', { skip }, async (t) => {
  t.same(RHYTHM.left, [])
})
