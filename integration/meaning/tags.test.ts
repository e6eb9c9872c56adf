// Frames with VLAN tags at ingress: two tags, one with number 0, do not pass a closed door; other
// frames are judged as without tags.
import t from 'tap'
import { installKnock, type KeepEvent, type KnockSpec } from '../../lib/index.js'
import { build } from '../machine/built.js'
import { missing } from '../machine/capabilities.js'
import { apply, CABLE, CLIENT, exec, SERVER, sweep } from '../machine/namespaces.js'
import { versionsOrSkip } from '../machine/nft-versions.js'
import { PacketSetup } from '../setups/packet-setup.js'
import { frameOf } from '../wire/frames.js'

const { versions, skip: lacks } = await versionsOrSkip()
const skip = lacks || missing('nc')
if (!skip) sweep()
// The reader processes run from the build.
build()

const FAMILIES = [4, 6] as const
const PORT = 2222
/** A port without a door. */
const LAST = 4001
const MACS = 12
const [Q, AD] = [0x8100, 0x88a8]

const spec = (hook: string, ...devices: string[]) =>
  ({
    hook,
    interfaces: [CABLE, ...devices],
    doors: [
      {
        name: 'service',
        service: `udp/${PORT}`,
        knock: { type: 'sequence', steps: ['udp/7000', 'tcp/7001'] },
        open: { for: '600s' },
      },
    ],
  }) as KnockSpec

type Tag = readonly [kind: number, number: number, priority?: number]

/** Tags with which the host accepts a frame as untagged. */
const ZEROS: Readonly<Record<string, readonly Tag[]>> = {
  'Q 0, Q 0': [
    [Q, 0],
    [Q, 0],
  ],
  'AD 0, Q 0': [
    [AD, 0],
    [Q, 0],
  ],
  'Q 0, AD 0': [
    [Q, 0],
    [AD, 0],
  ],
  'AD 0, AD 0': [
    [AD, 0],
    [AD, 0],
  ],
  'with priorities': [
    [Q, 0, 7],
    [Q, 0, 15],
  ],
  'three of Q': [
    [Q, 0],
    [Q, 0],
    [Q, 0],
  ],
  'three of both': [
    [AD, 0, 3],
    [AD, 0],
    [Q, 0, 1],
  ],
}
const ONES: Readonly<Record<string, readonly Tag[]>> = {
  none: [],
  'Q 0': [[Q, 0]],
  'AD 0': [[AD, 0, 5]],
}

function tagged(frame: Buffer, tags: readonly Tag[]): Buffer {
  const bytes = tags.map(([kind, number, priority = 0]) => {
    const tag = Buffer.alloc(4)
    tag.writeUInt16BE(kind, 0)
    tag.writeUInt16BE((priority << 12) | number, 2)
    return tag
  })
  return Buffer.concat([frame.subarray(0, MACS), ...bytes, frame.subarray(MACS)])
}

/** A table that counts by source port what reaches the host, also on VLANs 10 and 20. */
const ARRIVED = `table inet arrived {
  set ports { type inet_service; size 65535; flags dynamic, timeout; timeout 1h; }
  chain in {
          type filter hook input priority 100
          udp dport { ${PORT}, ${LAST} } add @ports { udp sport }
        }
}
table netdev others {
  counter stacked { }
  chain in {
    type filter hook ingress device "${CABLE}" priority 400
    meta protocol 8021q @ll,148,12 20 counter name stacked
  }
}`

for (const { version, path } of versions) {
  t.test(`nft ${version}`, { skip }, async (t) => {
    await using setup = await PacketSetup.open(spec('ingress'), path)
    const { injector, pair, nft } = setup
    const list = async (...args: string[]) => (await exec(pair.server, path, args)).stdout
    await apply(pair.server, ARRIVED, path)
    let sourcePort = 10_000
    /** Returns the names of the forms in which a packet reaches the host. */
    const arrivals = async (forms: Readonly<Record<string, readonly Tag[]>>) => {
      const sent = new Map<number, string>()
      for (const family of FAMILIES) {
        for (const [name, tags] of Object.entries(forms)) {
          sourcePort += 1
          sent.set(sourcePort, `IPv${family} ${name}`)
          const ends = { source: CLIENT[family], destination: SERVER[family], sourcePort }
          const packet = { at: 0, protocol: 'udp', ...ends, port: PORT, length: 8 } as const
          injector.sendFrame(tagged(frameOf(packet), tags))
        }
      }
      sourcePort += 1
      const last = { source: CLIENT[4], destination: SERVER[4], sourcePort, port: LAST }
      injector.sendFrame(frameOf({ at: 0, protocol: 'udp', length: 8, ...last }))
      await injector.flush()
      const wanted = new RegExp(`\\b${sourcePort}\\b`)
      let ports = ''
      for (let tries = 0; !wanted.test(ports); tries += 1) {
        if (tries > 200) throw new Error('the last packet has not come')
        ports = await list('list', 'set', 'inet', 'arrived', 'ports')
      }
      return [...sent].filter(([port]) => ports.includes(`${port}`)).map(([, name]) => name)
    }
    const all = { ...ZEROS, ...ONES }
    const count = 2 * Object.keys(all).length
    t.same(await arrivals(all), [], 'no tagged packet passes a closed door')
    for (const family of FAMILIES) await setup.knock.door('service').open(CLIENT[family])
    t.equal(
      (await arrivals(ONES)).length,
      2 * Object.keys(ONES).length,
      'packets pass an open door with one tag or none',
    )
    t.same(await arrivals(ZEROS), [], 'packets with two tags are dropped at an open door, too')
    await arrivals({
      stacked: [
        [Q, 10],
        [Q, 20],
      ],
    })
    t.match(await list('list', 'counters', 'netdev'), /packets 2 /, 'the other counters go on')
    await exec(pair.server, path, ['delete', 'table', 'netdev', 'knock'])
    t.equal((await arrivals(ZEROS)).length, 14, 'all pass a table without the rules')
    await setup.install(spec('ingress'))
    t.same(await arrivals(ZEROS), [], 'a second install drops them again')

    const events: KeepEvent[] = []
    const restored = async (done: number) => {
      for (
        let tries = 0;
        events.filter(({ event }) => event === 'restored').length < done;
        tries += 1
      ) {
        if (tries > 2000) throw new Error(`not put back: ${JSON.stringify(events)}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    const stop = new AbortController()
    const kept = setup.knock.keepInstalled({
      signal: stop.signal,
      onEvent: (event) => events.push(event),
    })
    while (!events.some(({ event }) => event === 'watching')) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const deeds = [
      ['delete', 'table', 'netdev', 'knock'],
      ['flush', 'table', 'netdev', 'knock'],
      ['delete', 'table', 'inet', 'knock'],
      ['flush', 'ruleset'],
    ]
    for (const [index, deed] of deeds.entries()) {
      await exec(pair.server, path, deed)
      await restored(index + 1)
      t.match(await list('list', 'table', 'inet', 'knock'), /hook ingress/, deed.join(' '))
      const tags = await list('list', 'table', 'netdev', 'knock')
      t.equal(tags.match(/drop comment/g)?.length, 2, 'the rules are put back')
    }
    stop.abort()
    await kept
    await apply(pair.server, ARRIVED, path)
    t.same((await arrivals(ZEROS)).length, 0)
    await setup.knock.uninstall()
    t.notMatch(await list('list', 'tables'), /knock/)
    t.equal((await arrivals(all)).length, count, 'all pass without a table')
    await installKnock(spec('ingress', 'lo'), { nft })
    t.match(await list('list', 'ruleset'), /device "lo" priority -11/)
  })
}
