import type { KnockEvent, KnockSpec } from '../../../lib/index.js'
import { CABLE, exec, SERVER } from '../../machine/namespaces.js'
import { Talk } from '../../machine/sockets.js'
import { PacketSetup } from '../../setups/packet-setup.js'

export const FAMILIES = [4, 6] as const
export const [PORT, ROAM] = [2222, 6010]
/** In the block of the client, and in no block of it. */
export const OTHER: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.200', 6: 'fd00:77::ab:cd:1:4' }
export const FAR: Readonly<Record<4 | 6, string>> = { 4: '10.99.1.9', 6: 'fd00:99::9' }
export const BLOCK: Readonly<Record<4 | 6, string>> = { 4: '10.77.0.0/24', 6: 'fd00:77::/64' }

export const PREFIX = { ipv4: 24, ipv6: 64 }

export const specOf = (open: object, guard: object = { prefix: { ipv6: 64 } }): KnockSpec =>
  ({
    guard,
    doors: [
      {
        name: 'service',
        service: `tcp/${PORT}`,
        knock: { type: 'sequence', steps: ['udp/7000', 'tcp/7001'], stepTimeout: '20s' },
        close: { type: 'sequence', steps: ['udp/7009'] },
        open: { for: '60s', ...open },
      },
      {
        name: 'roam',
        service: `udp/${ROAM}`,
        knock: { type: 'sequence', steps: ['udp/7002', 'udp/7003'] },
        open: { for: '60s', ...open },
      },
    ],
  }) as unknown as KnockSpec

export const isOf = (event: KnockEvent, block: string | undefined): boolean =>
  (event as { readonly block?: string }).block === block

/** Whether a door refuses a connection from a source. A real client takes a second to say so. */
export async function refuses(setup: PacketSetup, source: string, door = 'service', port = PORT) {
  const { denied } = await setup.counters(door)
  await setup.send(source, `tcp/${port}`)
  return (await setup.counters(door)).denied === denied + 1
}

export async function openAt(spec: KnockSpec, binary: string): Promise<PacketSetup> {
  const setup = await PacketSetup.open(spec, binary)
  const add = (address: string) => ['address', 'add', address, 'dev', CABLE]
  for (const args of [
    add(`${OTHER[4]}/24`),
    add(`${FAR[4]}/32`),
    [...add(`${OTHER[6]}/64`), 'nodad'],
    [...add(`${FAR[6]}/128`), 'nodad'],
  ]) {
    await exec(setup.pair.client, 'ip', args)
  }
  return setup
}

/** Answers each datagram, at whatever address it came from: as mosh's server follows its client. */
export const ECHO = `
  const socket = require('node:dgram').createSocket({ type: 'udp6' })
  socket.on('message', (data, { address, port }) => socket.send(data, port, address))
  socket.bind(${ROAM}, '::', () => console.log('ready'))
  process.stdin.on('end', () => process.exit()).resume()`

/** Sends each line as a datagram, and prints the answers. */
export const DATAGRAMS = `
  const [host, source] = process.argv.slice(1)
  const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (data) => console.log(String(data).trim()))
  socket.bind(0, source, () => console.log('ready'))
  process.stdin.on('end', () => process.exit())
    .on('data', (line) => socket.send(line, ${ROAM}, host))`

export async function datagrams(namespace: string, family: 4 | 6, source: string): Promise<Talk> {
  const talk = new Talk(namespace, DATAGRAMS, [SERVER[family], source])
  await talk.hear()
  return talk
}
