// A network namespace and some addresses → its interfaces, and its routes to them. Reads rtnetlink,
// /proc/sys or `ip`.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Host } from './host.js'
import { parseIpListing } from './ip-listing.js'
import { askNetwork } from './rtnetlink.js'

/** Why the namespace could not be read. */
interface Unseen {
  readonly reason: string
}

const LONGEST = { timeout: 10_000, maxBuffer: 2 ** 24 } as const

/**
 * Reads this process's own namespace through rtnetlink, without privilege or another program. Reads
 * another namespace through nsenter and ip, which gives only its interfaces.
 *
 * @param netns - as in `Nft`; empty: this process's own.
 */
export async function lookAtHost(
  netns: string,
  addresses: readonly string[],
  operation: string,
): Promise<Host | Unseen> {
  try {
    if (netns !== '') return { interfaces: await listIn(netns), routes: new Map() }
    const { interfaces, routes } = await askNetwork(operation, addresses)
    const [forwards, filtersBridges] = await Promise.all([readForwarding(), readBridgeFilter()])
    return { interfaces, routes, ...(forwards && { forwards }), filtersBridges }
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    return { reason: reason.replace(`${operation}: `, '') }
  }
}

async function listIn(netns: string) {
  const place = netns.includes('/') ? netns : `/run/netns/${netns}`
  const run = promisify(execFile)
  const args = [`--net=${place}`, '--', 'ip', '-j', '-d', 'address']
  const { stdout } = await run('nsenter', args, LONGEST)
  return parseIpListing(stdout)
}

const SYSCTLS = '/proc/sys/net'

/** Whether any interface forwards: routers may leave the switch for all of them off. */
async function readForwarding(): Promise<Host['forwards']> {
  const [four, six] = await Promise.all(
    (['ipv4', 'ipv6'] as const).map(async (family) => {
      const folder = `${SYSCTLS}/${family}/conf`
      const names = await readdir(folder).catch(() => [])
      const values = names.map((name) => readSwitch(`${folder}/${name}/forwarding`))
      return (await Promise.all(values)).some((value) => value === true)
    }),
  )
  const isKnown = (await readSwitch(`${SYSCTLS}/ipv4/ip_forward`)) !== undefined
  return isKnown ? { 4: four === true, 6: six === true } : undefined
}

/** Without the module br_netfilter there are no switches, and no bridge is filtered. */
async function readBridgeFilter(): Promise<NonNullable<Host['filtersBridges']>> {
  const names = ['iptables', 'ip6tables']
  const values = names.map((name) => readSwitch(`${SYSCTLS}/bridge/bridge-nf-call-${name}`))
  const [four, six] = await Promise.all(values)
  return { 4: four === true, 6: six === true }
}

async function readSwitch(path: string): Promise<boolean | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : text.trim() !== '0'
}
