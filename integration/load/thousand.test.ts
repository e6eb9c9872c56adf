// A thousand sources that connect right after their last knock → each is let in.
import t from 'tap'
import type { Packet } from '../../lib/simulate/packet.js'
import { validateSpec } from '../../lib/spec/validate.js'
import { missing } from '../machine/capabilities.js'
import { sweep } from '../machine/namespaces.js'
import { PlaybackSetup } from '../replay/playback.js'
import { doorOf, PORT } from '../setups/service-setup.js'

const skip = missing()
if (!skip) sweep()

type Family = 4 | 6

const COUNT: Readonly<Record<Family, number>> = { 4: 1000, 6: 500 }
const spec = validateSpec(doorOf(['tcp/7000', 'udp/8000', 'tcp/9000']))

/** Makes a source's three knocks and its SYN to the service. `without`: the knock to leave out. */
function packetsOf(source: string, without?: number): Packet[] {
  const knocks = [
    { protocol: 'tcp', port: 7000 },
    { protocol: 'udp', port: 8000 },
    { protocol: 'tcp', port: 9000 },
  ] as const
  return [
    ...knocks.filter((_, index) => index !== without),
    { protocol: 'tcp', port: PORT } as const,
  ].map((packet, index) => ({ at: 0, source, sourcePort: 20_000 + index, ...packet }))
}

/** Returns different sources, also different from those of other groups. */
function sourcesOf(family: Family, group: number): string[] {
  return Array.from({ length: COUNT[family] }, (_, index) =>
    family === 4
      ? `10.99.${group * 8 + (index >> 8)}.${index & 255}`
      : `fd00:99::${group}:${(index + 1).toString(16)}`,
  )
}

/** Sends packets as fast as possible. Returns the sources whose SYN arrived at the service. */
async function arrivedOf(setup: PlaybackSetup, packets: readonly Packet[]): Promise<string[]> {
  for (const packet of packets) setup.injector.send(packet)
  await setup.injector.flush()
  const keys = [...(await setup.arrivals())].filter(([key]) => key.endsWith(` ${PORT}`))
  return keys.map(([key]) => key.split(' ')[0] as string)
}

for (const family of [4, 6] as const) {
  const count = COUNT[family]

  t.test(`${count} of ${count} correct knocks over IPv${family}`, { skip }, async (t) => {
    await using setup = await PlaybackSetup.open(spec)
    const sources = sourcesOf(family, 1)
    const packets = sources.flatMap((source) => packetsOf(source))
    const arrived = await arrivedOf(setup, packets)
    t.same(arrived.sort(), sources.sort())
    const { service } = await setup.state()
    t.same(service?.counters, {
      knocks: 3 * count,
      grants: count,
      closes: 0,
      resets: 0,
      wrong: 0,
      denied: 0,
    })
  })

  t.test(`0 of ${count} with a knock left out, over IPv${family}`, { skip }, async (t) => {
    await using setup = await PlaybackSetup.open(spec)
    const packets = sourcesOf(family, 2).flatMap((source, index) => packetsOf(source, index % 3))
    t.same(await arrivedOf(setup, packets), [])
    const { service } = await setup.state()
    t.match(service?.counters, { grants: 0, denied: count })
  })

  t.test(`both kinds mixed step by step, over IPv${family}`, { skip }, async (t) => {
    await using setup = await PlaybackSetup.open(spec)
    const right = sourcesOf(family, 1)
    const all = [
      ...right.map((source) => packetsOf(source)),
      ...sourcesOf(family, 2).map((source, index) => packetsOf(source, index % 3)),
    ]
    const packets = [0, 1, 2, 3].flatMap((turn) => all.flatMap((own) => own[turn] ?? []))
    t.same((await arrivedOf(setup, packets)).sort(), right.sort())
  })
}
