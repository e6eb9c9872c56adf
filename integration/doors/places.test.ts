// Doors with interfaces of their own, and names with hyphens, in the kernel: two doors before one
// service, each on its own cable, at each hook.
import t, { type Test } from 'tap'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { addSecond, SECOND } from '../machine/second-cable.js'
import { until } from '../machine/until.js'
import { host, PacketSetup } from '../setups/packet-setup.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('perl')
if (!skip) sweep()

const FAMILIES = [4, 6] as const
const PORT = 2222

const doorOn = (name: string, interfaces: readonly string[]) => ({
  name,
  service: `tcp/${PORT}`,
  interfaces,
  knock: { type: 'sequence', steps: ['udp/7000', 'tcp/7001'], stepTimeout: '30s' },
  open: { for: '5m' },
})

/** At ingress a chain stands at one interface, so no pattern is possible. */
const secondAt = (hook: string): string => (hook === 'ingress' ? SECOND : 'wg*')

const specOf = (hook: string, more: readonly object[] = []) => ({
  hook,
  interfaces: ['eth0', secondAt(hook)],
  log: { deniedRate: 1000 },
  doors: [doorOn('open-ssh', ['eth0']), doorOn('ssh-vpn', [secondAt(hook)]), ...more],
})

for (const { version, path } of versions) {
  t.test(`doors by interface, nft ${version}`, { skip, buffered: true }, async (t) => {
    await using setup = await PacketSetup.open(specOf('input'), path)
    await addSecond(setup.pair)
    for (const [index, hook] of ['input', 'prerouting', 'ingress'].entries()) {
      await setup.install(specOf(hook))
      await judge(t, setup, hook, 10 * index)
      await setup.knock.uninstall()
    }
  })
}

async function judge(t: Test, setup: PacketSetup, hook: string, first: number): Promise<void> {
  let sourcePort = 3000 + 100 * first
  const send = async (source: string, by: string, ...steps: readonly string[]) => {
    for (const step of steps) {
      const [protocol, port] = step.split('/') as ['tcp' | 'udp', string]
      sourcePort += 1
      const place = { port: Number(port), sourcePort, interface: by }
      setup.injector.send({ at: 0, source, protocol, ...place })
    }
    await setup.injector.flush()
  }
  const counted = (door: string, kind: 'denied' | 'knocks', count: number) =>
    until(
      async () => (await setup.counters(door))[kind] >= count,
      `${kind} ${count} of ${door} at ${hook}`,
    )
  let denied = 0
  for (const family of FAMILIES) {
    const [one, two] = [host(first + 1, family), host(first + 2, family)] as const
    await send(one, SECOND, 'udp/7000', 'tcp/7001')
    await until(async () => (await setup.granted('ssh-vpn')).includes(one), `grant over ${SECOND}`)
    // A knock that goes on by the other cable is no knock there.
    await send(two, 'eth0', 'udp/7000')
    await send(two, SECOND, 'tcp/7001')
    await send(one, 'eth0', `tcp/${PORT}`)
    await send(one, SECOND, `tcp/${PORT}`)
    denied += 1
    await counted('open-ssh', 'denied', denied)
    t.notOk((await setup.granted('open-ssh')).length, `${hook} ${family}: nobody on eth0`)
    t.equal((await setup.counters('ssh-vpn')).denied, 0, `${hook} ${family}: let in by ${SECOND}`)
    t.notOk((await setup.granted('ssh-vpn')).includes(two))
  }
  const hand = host(first + 5)
  await setup.knock.door('open-ssh').open(hand)
  const grants = await setup.granted('ssh-vpn')
  await setup.install(specOf(hook, [{ ...doorOn('web-2', ['eth0']), service: 'tcp/2223' }]))
  t.strictSame(await setup.granted('ssh-vpn'), grants, `${hook}: grants stay`)
  t.strictSame(await setup.granted('open-ssh'), [hand])
  const { doors, warnings } = await setup.knock.status()
  t.match(doors, [
    { name: 'open-ssh', interfaces: ['eth0'] },
    { name: 'ssh-vpn', interfaces: [secondAt(hook)] },
    { name: 'web-2' },
  ])
  t.notOk(warnings)
  const saved = await setup.knock.save()
  t.match(saved.grants.map(({ door }) => door).sort(), ['open-ssh', 'ssh-vpn', 'ssh-vpn'])
  t.ok(await setup.knock.door('open-ssh').close(hand))
  t.strictSame(await setup.granted('open-ssh'), [])
}
