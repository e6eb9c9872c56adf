// A pair → a third namespace behind its server, with the addresses that the cookbook gives to an
// inner host.
import { CABLE, CLIENT, createPair, exec, type Pair, SERVER } from '../machine/namespaces.js'
import type { Addresses } from './page-setup.js'

/** The addresses of the inner host on the page about gateways. */
export const INNER = { 4: '192.0.2.10', 6: '2001:db8::10' } as const
const GATEWAY = { 4: '192.0.2.1', 6: '2001:db8::1' } as const
/** The gateway's interface to the inner host. */
const INSIDE = 'eth1'

export interface InnerHost extends AsyncDisposable {
  readonly inner: string
}

/**
 * Puts an inner host behind a gateway, with the veth pair of another pair of namespaces: one end
 * moves to the gateway, the other stays with the host.
 */
export async function createInnerHost({ server: gateway, client }: Pair): Promise<InnerHost> {
  const other = await createPair()
  const inner = other.client
  const setUp = [
    [other.server, `ip link set ${CABLE} netns ${gateway} name ${INSIDE}`],
    [gateway, `ip link set ${INSIDE} addrgenmode none up`],
    [gateway, `ip address add ${GATEWAY[4]}/24 dev ${INSIDE}`],
    [gateway, `ip address add ${GATEWAY[6]}/64 dev ${INSIDE} nodad`],
    [gateway, 'echo 1 > /proc/sys/net/ipv4/ip_forward'],
    [gateway, 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'],
    [inner, `ip address flush dev ${CABLE}`],
    [inner, `ip address add ${INNER[4]}/24 dev ${CABLE}`],
    [inner, `ip address add ${INNER[6]}/64 dev ${CABLE} nodad`],
    [inner, `ip route add default via ${GATEWAY[4]}`],
    [inner, `ip -6 route add default via ${GATEWAY[6]}`],
    [client, `ip route add ${INNER[4]}/32 via ${SERVER[4]}`],
    [client, `ip -6 route add ${INNER[6]}/128 via ${SERVER[6]}`],
    // No end has a link-local address, so neighbours cannot be found by asking.
    ...introduce(gateway, INSIDE, INNER, CLIENT.mac),
    ...introduce(inner, CABLE, GATEWAY, SERVER.mac),
  ] as const
  try {
    for (const [namespace, line] of setUp) {
      const { code, stderr } = await exec(namespace, 'sh', ['-c', line])
      if (code !== 0) throw new Error(`${line}: ${stderr.trim()}`)
    }
  } catch (error) {
    await other[Symbol.asyncDispose]()
    throw error
  }
  return { inner, [Symbol.asyncDispose]: () => other[Symbol.asyncDispose]() }
}

const introduce = (namespace: string, device: string, { 4: ip4, 6: ip6 }: Addresses, mac: string) =>
  [ip4, ip6].map((address) => {
    const line = `ip neighbour replace ${address} lladdr ${mac} dev ${device} nud permanent`
    return [namespace, line] as const
  })
