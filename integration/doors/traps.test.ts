// Traps in the kernel: clients of others are banned by a packet to one, over both families, at each
// hook, also where doors share their sets; and what keeps the bans.
import t, { type Test } from 'tap'
import { createNft, installKnock, type KnockSpec } from '../../lib/index.js'
import { missing } from '../machine/capabilities.js'
import { CABLE, CLIENT, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { doorOf, FAMILIES, ServiceSetup } from '../setups/service-setup.js'
import { Watching } from '../setups/watching.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('knock', 'nc', 'hping3', 'nmap')
if (!skip) sweep()

t.jobs = 4

const TRAPS = { ports: ['tcp/23', 'tcp/3300-3400', 'udp/161'], for: '1h' }

/** Doors that nobody knocks at, so that all of them share their sets. */
const others = Array.from({ length: 39 }, (_, index) => ({
  name: `other${index}`,
  service: `tcp/${100 + index}`,
  knock: { type: 'sequence' as const, steps: [`tcp/${20000 + index}`] },
  open: { for: '60s' },
}))

const specOf = (parts: object, isShared = false): KnockSpec => {
  const { doors } = doorOf(['tcp/7000', 'udp/7001'])
  return { guard: { traps: TRAPS }, doors: [...doors, ...(isShared ? others : [])], ...parts }
}

/** What each client sends to a trap. */
const PROBES: readonly (readonly [name: string, argv: (to: string) => string[]])[] = [
  ['nc', (to) => ['nc', '-z', '-w', '1', to, '23']],
  ['nc over UDP', (to) => ['sh', '-c', `echo x | nc -u -w 1 ${to} 161`]],
  ['nmap', (to) => ['nmap', to.includes(':') ? '-6' : '-4', '-Pn', '-n', '-sS', '-p', '3333', to]],
]

async function play(t: Test, setup: ServiceSetup, spec: KnockSpec, path: string): Promise<void> {
  const { knock, pair } = setup
  const door = knock.door('service')
  const open = (family: 4 | 6) =>
    setup.run('knock', `-${family}`, '-d', '50', SERVER[family], '7000', '7001:udp')
  const isBanned = async (source: string) =>
    (await knock.bans()).some((ban) => ban.source === source && ban.expiresIn > 3500)
  await using watching = await Watching.begin(knock)
  for (const family of FAMILIES) {
    const [me, to] = [CLIENT[family], SERVER[family]]
    await open(family)
    t.equal(await setup.answers(family), true, `IPv${family}: open`)
    for (const [name, argv] of PROBES) {
      const [file = '', ...args] = argv(to)
      watching.take()
      const { bans } = (await knock.status()).counters
      await setup.run(file, ...args)
      t.ok(await isBanned(me), `IPv${family}: ${name} is banned`)
      t.equal((await knock.status()).counters.bans, bans + 1, 'once')
      t.ok(await watching.until(`banned ${me} by=trap`), 'and reported')
      t.equal(watching.take().filter((short) => short.startsWith('banned')).length, 1)
      t.equal(await setup.answers(family), true, 'its grant stays')
      if (name !== 'nmap') t.equal(await knock.unban(me), true)
    }
    await door.close(me)
    await open(family)
    t.equal(await door.grantOf(me), undefined, `IPv${family}: its knocks are ignored`)
  }
  const saved = await knock.save()
  t.same(saved.bans.map(({ source }) => source).sort(), [CLIENT[4], CLIENT[6]].sort())
  const nft = createNft({ binary: path, netns: pair.server })
  const traps = { ports: ['tcp/24'], for: '2h' }
  const changed = await installKnock({ ...spec, guard: { traps } }, { nft })
  t.equal((await changed.bans()).length, 2, 'bans stay with other traps')
  const ban = { after: 3, within: '1m', for: '1m' }
  await installKnock({ ...spec, guard: { ban } }, { nft })
  t.equal((await changed.bans()).length, 2, 'and with a ban for strikes alone')
  await knock.uninstall()
  const back = await installKnock(spec, { nft })
  t.equal((await back.bans()).length, 0)
  t.equal((await back.restore(saved)).restored.bans, 2, 'and come back from a saved state')
  for (const family of FAMILIES) {
    t.equal(await back.unban(CLIENT[family]), true)
    await open(family)
    t.equal(await setup.answers(family), true, `IPv${family}: its knocks are heard again`)
  }
}

for (const [index, { version, path }] of versions.entries()) {
  const [hook, shares] = (
    [
      ['prerouting', false],
      ['ingress', false],
      ['input', true],
    ] as const
  )[index % 3] ?? ['input', true]
  const runs = [
    { name: 'input', spec: specOf({}) },
    {
      name: `${hook}${shares ? ', shared' : ''}`,
      spec: specOf(hook === 'input' ? {} : { hook, interfaces: [CABLE] }, shares),
    },
  ]
  for (const { name, spec } of runs) {
    t.test(`a trap bans, ${name}, nft ${version}`, { skip, buffered: true }, async (t) => {
      await using setup = await ServiceSetup.open(spec, path)
      await play(t, setup, spec, path)
    })
  }
}
