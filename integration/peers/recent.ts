// The well-known recipes for iptables' match `recent` → rules in a server's namespace.
import { exec } from '../machine/namespaces.js'
import type { Peer } from './peer.js'

/** Runs one command of iptables in a namespace. */
async function iptables(server: string, command: string): Promise<void> {
  // `-w` waits for iptables' lock, which all namespaces share.
  const { code, stderr } = await exec(server, 'iptables', ['-w', ...command.split(' ')])
  if (code !== 0) throw new Error(`iptables ${command}: ${stderr.trim()}`)
}

/** Makes a peer of iptables' rules, one on each line. */
export const iptablesRules = (lines: string): Peer => ({
  async install(server) {
    for (const line of lines.trim().split(/\s*\n\s*/)) await iptables(server, line)
    return undefined
  },
})

const NEW = '-m conntrack --ctstate NEW'

/** The first rule of each recipe: established connections pass. */
export const ESTABLISHED = '-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT'

const SINGLE = '-m recent --name single'

/** Lets in the third packet to the service's own port, from 3 to 5 s after the first. */
export const SINGLE_PORT = iptablesRules(`
  ${ESTABLISHED}
  -A INPUT -p tcp --dport 22 ${NEW} ${SINGLE} --rcheck --seconds 3 --hitcount 2 -j DROP
  -A INPUT -p tcp --dport 22 ${NEW} ${SINGLE} --rcheck --seconds 5 --hitcount 2 -j ACCEPT
  -A INPUT -p tcp --dport 22 ${NEW} ${SINGLE} --set -j DROP
`)

/** Lets a source in for 5 s after one packet to 1000. */
export const ONE_PACKET = iptablesRules(`
  ${ESTABLISHED}
  -A INPUT -p tcp --dport 1000 -m recent --name one --set -j DROP
  -A INPUT -p tcp --dport 22 ${NEW} -m recent --name one --rcheck --seconds 5 -j ACCEPT
  -A INPUT -p tcp --dport 22 -j DROP
`)

/**
 * Open Sesamy: 1, 2, 3 and 4 packets in four windows of this many seconds, to the service's own
 * port. A packet to the service is judged before it is itself recorded in the list.
 */
export function openSesamy(window: number): Peer {
  const recent = (parts: string) => `-m recent --name sesamy ${parts}`
  const within = (windows: number, hits: number) =>
    recent(`--rcheck --seconds ${windows * window} --hitcount ${hits}`)
  const not = (parts: string) => parts.replace('--rcheck', '! --rcheck')
  /** Returns the rules that forget a source unless it has exactly this many hits. */
  const exactly = (windows: number, hits: number) => `
    -A JUDGE ${not(within(windows, hits))} -g WIPE
    -A JUDGE ${within(windows, hits + 1)} -g WIPE`
  return iptablesRules(`
    -N WIPE
    -A WIPE ${recent('--remove')}
    -N JUDGE
    -A JUDGE ${not(within(4, 10))} -j RETURN
    -A JUDGE ${within(4, 11)} -g WIPE
    ${exactly(1, 4)}
    ${exactly(2, 7)}
    ${exactly(3, 9)}
    -A JUDGE ${recent('--remove')} -j ACCEPT
    -N COUNT
    -A COUNT ${within(4, 11)} -j WIPE
    -A COUNT ${recent('--rcheck --hitcount 21')} -j WIPE
    -A COUNT ${recent('--set')} -j DROP
    ${ESTABLISHED}
    -A INPUT -p tcp --dport 443 ${NEW} -j JUDGE
    -A INPUT -p tcp --syn --dport 443 -j COUNT
    -A INPUT -p udp --dport 443 -j COUNT
    -A INPUT -p tcp --dport 443 -j DROP
  `)
}
