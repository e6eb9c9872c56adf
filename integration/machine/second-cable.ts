// A pair of namespaces → a second cable between them, for specs that name its interface.
import type { ValidSpec } from '../../lib/spec/model/model.js'
import { CLIENT, exec, type Pair, SERVER } from './namespaces.js'

/** The interface of both ends. */
export const SECOND = 'wg0'

/** Whether a spec, or one of its doors, names the interface or a pattern that it fits. */
export const namesSecond = ({ interfaces, doors }: ValidSpec): boolean =>
  [interfaces, ...doors.map((door) => door.interfaces)].flat().some((name) => name.startsWith('wg'))

/** Adds the cable. The server's addresses are reached by both. */
export async function addSecond({ server, client }: Pair): Promise<void> {
  const commands = [
    `ip link add ${SECOND} address ${SERVER.mac} type veth peer name ${SECOND} \
      address ${CLIENT.mac} netns ${client}`,
    // A source may come by either cable.
    'for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $file; done',
    `ip link set ${SECOND} addrgenmode none`,
    `ip link set ${SECOND} up`,
    // A redirect sends a connection to an address of the interface where it came in.
    `ip address add 10.78.0.1/24 dev ${SECOND}`,
    `ip address add fd00:78::1/64 dev ${SECOND} nodad`,
    `ip -n ${client} link set ${SECOND} addrgenmode none`,
    `ip -n ${client} link set ${SECOND} up`,
  ]
  const { code, stderr } = await exec(server, 'sh', ['-e', '-c', commands.join('\n')])
  if (code !== 0) throw new Error(`${server}: ${stderr.trim()}`)
}
