// A pair → a third namespace behind its server, which forwards to it.
import { createPair, exec, type Pair, SERVER } from './namespaces.js'

/** The addresses of the server's end, and of the host's. */
export const GATEWAY = { 4: '10.88.0.1', 6: 'fd00:88::1', mac: '02:00:00:00:88:01' } as const
export const INNER = { 4: '10.88.0.2', 6: 'fd00:88::2', mac: '02:00:00:00:88:02' } as const
/** The server's interface to the host behind it. */
export const INSIDE = 'eth1'

interface Inner extends AsyncDisposable {
  readonly namespace: string
}

/** Puts a host behind a server. It answers through the server, and the client finds it there. */
export async function createInner({ server, client }: Pair): Promise<Inner> {
  // The host is one namespace of another pair, so that it is removed like all others.
  const pair = await createPair()
  const namespace = pair.server
  const ip = async (...args: readonly string[]) => {
    const { code, stderr } = await exec(server, 'ip', args)
    if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`)
  }
  try {
    await ip('-n', namespace, 'link', 'delete', 'eth0')
    const end = ['link', 'add', INSIDE, 'address', GATEWAY.mac, 'netns', server]
    const peer = ['type', 'veth', 'peer', 'name', INSIDE, 'address', INNER.mac, 'netns', namespace]
    await ip('-n', server, ...end, ...peer)
    for (const [name, addresses, other] of [
      [server, GATEWAY, INNER],
      [namespace, INNER, GATEWAY],
    ] as const) {
      await ip('-n', name, 'link', 'set', INSIDE, 'addrgenmode', 'none', 'up')
      await ip('-n', name, 'address', 'add', `${addresses[4]}/24`, 'dev', INSIDE)
      await ip('-n', name, 'address', 'add', `${addresses[6]}/64`, 'dev', INSIDE, 'nodad')
      for (const address of [other[4], other[6]]) {
        const place = ['lladdr', other.mac, 'dev', INSIDE, 'nud', 'permanent']
        await ip('-n', name, 'neighbour', 'replace', address, ...place)
      }
    }
    for (const [family, network] of [
      [4, '10.88.0.0/24'],
      [6, 'fd00:88::/64'],
    ] as const) {
      await ip('-n', client, 'route', 'add', network, 'via', SERVER[family])
      await ip('-n', namespace, `-${family}`, 'route', 'add', 'default', 'via', GATEWAY[family])
    }
    const forward = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']
    await exec(server, 'sysctl', ['-q', '-w', ...forward])
  } catch (error) {
    await pair[Symbol.asyncDispose]()
    throw error
  }
  return { namespace, [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose]() as Promise<void> }
}
