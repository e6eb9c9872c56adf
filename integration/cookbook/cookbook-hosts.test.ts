// docs/start/cookbook/: the recipes in which connections go elsewhere, set up as their pages say
// and knocked at with the pages' own lines.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { createPair, exec, SERVER, sweep } from '../machine/namespaces.js'
import { FAMILIES, startService } from '../setups/service-setup.js'
import { createInnerHost, INNER } from './inner-host.js'
import { Page } from './page.js'
import { PageSetup } from './page-setup.js'

const skip = missing('knock', 'nc', 'ssh')
if (!skip) {
  sweep()
  build()
}

t.jobs = 3

t.test('the recipe for web and ssh on one port works', { skip, buffered: true }, async (t) => {
  const page = new Page('same-port')
  await using setup = await PageSetup.open(page)
  await using _web = await startService(setup.pair.server, 443)
  await setup.install('spec', { '30s': '20s' })
  const isWeb = async (family: 4 | 6, ...from: readonly string[]) => {
    const args = ['-n', '-w1', ...from, SERVER[family], '443']
    return (await exec(setup.pair.client, 'nc', args)).stdout === 'hello'
  }
  const other = { 4: '10.77.0.3', 6: 'fd00:77::3' } as const
  for (const family of FAMILIES) {
    const end = family === 4 ? '/24' : '/64'
    // A source that is used only if it is asked for.
    const options = family === 4 ? [] : ['nodad', 'preferred_lft', '0']
    const args = ['address', 'add', `${other[family]}${end}`, 'dev', 'eth0', ...options]
    await exec(setup.pair.client, 'ip', args)
  }
  const play = async (family: 4 | 6) => {
    t.ok(await isWeb(family), `IPv${family}: 443 is the web server`)
    t.ok(await setup.isShut(family), `IPv${family}: 22 is shut`)
    await setup.atClient('knock -u -d 100 server.example 7000 9000 8000', family)
    t.ok(await isWeb(family), `IPv${family}: the web server still, after the wrong order`)
    for (const mark of page.marks('client: ')) {
      t.match(await setup.client(mark, family), { code: 0 }, `IPv${family}: ${mark}`)
      t.ok(await setup.isShut(family), `IPv${family}: 22 is still shut`)
      t.ok(
        await isWeb(family, '-s', other[family]),
        `IPv${family}: others still reach the web server`,
      )
      await setup.revoke(family)
      t.ok(await isWeb(family), `IPv${family}: the client reaches the web server again`)
    }
    await setup.atClient('knock -u -d 100 server.example 7000 8000 9000', family)
    const session = setup.atClient('ssh -n -p 443 server.example "sleep 22 && echo alive"', family)
    await sleep(20_500)
    t.ok(await isWeb(family), `IPv${family}: the client reaches the web server after its time`)
    t.match(await session, { code: 0, stdout: 'alive\n' }, `IPv${family}: a session lives on`)
  }
  await Promise.all(FAMILIES.map(play))
  t.same(page.left, [])
})

const GATEWAY = new Page('gateway')

t.test('the recipe for a gateway that forwards works', { skip, buffered: true }, async (t) => {
  const pair = await createPair()
  await using host = await createInnerHost(pair)
  const options = { pair, sshdAt: host.inner, hosts: { 'inner.example': INNER } }
  await using setup = await PageSetup.open(GATEWAY, options)
  await setup.install('spec', { '30s': '15s' })
  await using _service = await startService(host.inner, 8080)
  const isShut = async (family: 4 | 6) =>
    (await setup.atClient('nc -z -w 1 inner.example 22', family)).code !== 0
  const play = async (family: 4 | 6) => {
    const other = await setup.atClient('nc -w 1 inner.example 8080', family)
    t.equal(other.stdout, 'hello', `IPv${family}: other ports are not judged`)
    t.ok(await isShut(family), `IPv${family}: shut before`)
    await setup.atClient('knock -d 100 inner.example 9000 8000:udp 7000', family)
    t.ok(await isShut(family), `IPv${family}: shut after the wrong order`)
    for (const mark of GATEWAY.marks('client: ')) {
      t.match(await setup.client(mark, family), { code: 0 }, `IPv${family}: ${mark}`)
      await setup.revoke(family)
      t.ok(await isShut(family), `IPv${family}: shut again`)
    }
    await setup.client('client: knock', family)
    await sleep(15_500)
    t.ok(await isShut(family), `IPv${family}: shut after its time`)
  }
  await Promise.all(FAMILIES.map(play))
})

t.test('the recipe for a gateway that translates works', { skip, buffered: true }, async (t) => {
  const pair = await createPair()
  await using host = await createInnerHost(pair)
  await using setup = await PageSetup.open(GATEWAY, { pair, sshdAt: host.inner })
  await setup.install('spec: translated', { '30s': '5s' })
  for (const family of FAMILIES) t.ok(await setup.isShut(family, 2222), `IPv${family}: shut before`)
  await setup.atClient('knock -4 -d 100 server.example 9000 8000:udp 7000')
  t.ok(await setup.isShut(4, 2222), 'shut after the wrong order')
  t.match(await setup.client('translated: knock'), { code: 0 }, 'the knock')
  t.ok(await setup.isShut(4, 22), 'the gateway itself has no ssh')
  await sleep(5_500)
  t.ok(await setup.isShut(4, 2222), 'shut after its time')
})

t.test('each block of the page about gateways has run', { skip }, async (t) => {
  t.same(GATEWAY.left, [])
})
