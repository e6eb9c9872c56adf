// One port for everybody, redirected for sources with a grant: to another port of the host, or to
// another host.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { createInner, INNER } from '../machine/inner.js'
import { apply, CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { testOldAndNew, versionsOrSkip } from '../machine/nft-versions.js'
import { dial, greeting, listen } from '../machine/sockets.js'
import { PacketSetup } from '../setups/packet-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc', 'sysctl')
if (!skip) sweep()

const FAMILIES = [4, 6] as const
const OTHER: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.4', 6: 'fd00:77::4' }
const TRUSTED: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.5', 6: 'fd00:77::5' }

const specOf = (redirectTo: number | string, open: object = {}) => ({
  guard: { trusted: [TRUSTED[4], TRUSTED[6]] },
  doors: [
    {
      name: 'service',
      service: 'tcp/443',
      knock: { type: 'sequence', steps: ['udp/7000'] },
      open: { for: '60s', redirectTo, ...open },
    },
  ],
})

async function becomeMany({ pair }: PacketSetup): Promise<void> {
  for (const addresses of [OTHER, TRUSTED]) {
    await exec(pair.client, 'ip', ['address', 'add', `${addresses[4]}/24`, 'dev', CABLE])
    await exec(pair.client, 'ip', ['address', 'add', `${addresses[6]}/64`, 'dev', CABLE, 'nodad'])
  }
}

const onEach = (name: string, run: (t: Test, binary: string) => Promise<void>) =>
  testOldAndNew(t, { versions, skip }, name, run)

t.jobs = 4

onEach('a knock redirects to another port', async (t, binary) => {
  await using setup = await PacketSetup.open(specOf(2200, { for: 8 }), binary)
  await becomeMany(setup)
  const { client, server } = setup.pair
  await using _web = await listen(server, 443, 'web')
  await using _shell = await listen(server, 2200, 'shell')
  for (const family of FAMILIES) {
    const [here, me] = [SERVER[family], CLIENT[family]]
    const ask = (source: string, port: number) => greeting(client, here, port, '-s', source)
    const all = (port: number) =>
      Promise.all([me, OTHER[family], TRUSTED[family]].map((source) => ask(source, port)))
    t.same(
      await all(443),
      ['web', 'web', 'web'],
      `IPv${family}: everyone reaches the public port before`,
    )
    t.same(
      await all(2200),
      ['nothing', 'nothing', 'shell'],
      'only a trusted source reaches the target before',
    )
    await using old = dial(client, here, 443, me)
    t.equal(await old.hear(), 'web')
    await setup.send(me, 'udp/7000')
    await using mine = dial(client, here, 443, me)
    t.equal(await mine.hear(), 'shell', 'the source that knocked is redirected')
    t.equal(await old.say('a'), 'web a', 'an earlier connection goes on')
    t.same(await all(443), ['shell', 'web', 'web'], 'other sources are not redirected')
    t.same(await all(2200), ['nothing', 'nothing', 'shell'], 'the target is shut from outside')
    while ((await setup.granted()).includes(me)) await sleep(200)
    await sleep(300)
    t.equal(await mine.say('b'), 'shell b', 'a connection outlives its grant')
    t.equal(await ask(me, 443), 'web', 'a new connection has no grant')
    await setup.send(me, 'udp/7000')
    t.equal(await ask(me, 443), 'shell', 'a second knock redirects again')
    await setup.knock.door('service').close(me)
    t.equal(await ask(me, 443), 'web', 'a closed grant does not redirect')
  }
  t.match(await setup.counters(), { knocks: 4, grants: 4, resets: 0 })
})

onEach('a redirect is for a number of connections', async (t, binary) => {
  for (const connections of [1, 2]) {
    await using setup = await PacketSetup.open(specOf(2200, { connections }), binary)
    const { client, server } = setup.pair
    await using _web = await listen(server, 443, 'web')
    await using _shell = await listen(server, 2200, 'shell')
    for (const family of FAMILIES) {
      await setup.send(CLIENT[family], 'udp/7000')
      const answers: string[] = []
      for (let i = 0; i < 3; i += 1) answers.push(await greeting(client, SERVER[family], 443))
      const expected = [1, 2, 3].map((n) => (n <= connections ? 'shell' : 'web'))
      t.same(answers, expected, `IPv${family}: ${connections} of three connections are redirected`)
    }
  }
})

onEach('a host can have its own redirect as well', async (t, binary) => {
  await using setup = await PacketSetup.open(specOf(2200), binary)
  const { client, server } = setup.pair
  await using _web = await listen(server, 8443, 'web')
  await using _shell = await listen(server, 2200, 'shell')
  await apply(
    server,
    `table inet own {
      chain nat {
        type nat hook prerouting priority dstnat
        tcp dport 443 redirect to :8443
        tcp dport 444 redirect to :2200
      }
    }`,
    binary,
  )
  for (const family of FAMILIES) {
    const ask = (port: number) => greeting(client, SERVER[family], port)
    t.equal(await ask(443), 'web', `IPv${family}: the host's own redirect is for everyone`)
    await setup.send(CLIENT[family], 'udp/7000')
    t.equal(await ask(443), 'shell', 'the redirect of the door is for the source that knocked')
    t.equal(await ask(8443), 'web')
    t.equal(await ask(444), 'nothing', 'another redirect to the target is shut')
  }
})

onEach('a knock redirects to another host', async (t, binary) => {
  for (const family of FAMILIES) {
    const target = family === 4 ? `${INNER[4]}:22` : `[${INNER[6]}]:22`
    await using setup = await PacketSetup.open(specOf(target), binary)
    await becomeMany(setup)
    await using inner = await createInner(setup.pair)
    const { client, server } = setup.pair
    await using _web = await listen(server, 443, 'web')
    await using _inner = await listen(inner.namespace, 22, 'inner')
    const ask = (to: 4 | 6, source?: string) =>
      greeting(client, SERVER[to], 443, ...(source ? ['-s', source] : []))
    const sources = [CLIENT[family], OTHER[family], TRUSTED[family]]
    const all = () => Promise.all(sources.map((source) => ask(family, source)))
    t.same(await all(), ['web', 'web', 'web'], `IPv${family}`)
    await setup.send(CLIENT[family], 'udp/7000')
    t.same(await all(), ['inner', 'web', 'web'], 'the source that knocked reaches the inner host')
    const wrong = family === 4 ? 6 : 4
    await setup.send(CLIENT[wrong], 'udp/7000')
    t.equal(await ask(wrong), 'web', 'the other family is not redirected')
    await setup.knock.door('service').close(CLIENT[family])
    t.equal(await ask(family), 'web')
  }
})
