// A network namespace → its default gateways; the sources of a table → a warning if all of them are
// one. Reads /proc.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { endianness } from 'node:os'
import { promisify } from 'node:util'
import { canonicalAddress } from '../spec/model/address.js'
import type { Warning } from '../text/warning.js'

/** proc(5): the IPv4 routes, and those of IPv6. */
const PATHS = ['/proc/net/route', '/proc/net/ipv6_route'] as const

/** A default route in each: its destination, its mask or prefix length, and its gateway. */
const DEFAULT = {
  4: /^\S+\s+0{8}\s+([0-9A-F]{8})(?:\s+\S+){4}\s+0{8}\s/gim,
  6: /^0{32} 00 0{32} 00 ([0-9a-f]{32}) /gim,
} as const

/** Parses the two files. Addresses are as listings have them. */
export function parseGateways(ipv4: string, ipv6: string, isLittle: boolean): string[] {
  const four = [...ipv4.matchAll(DEFAULT[4])].map(([, hex = '']) => {
    const bytes = [...Buffer.from(hex, 'hex')]
    return (isLittle ? bytes.reverse() : bytes).join('.')
  })
  const six = [...ipv6.matchAll(DEFAULT[6])].map(([, hex = '']) =>
    canonicalAddress((hex.match(/.{4}/g) ?? []).join(':')),
  )
  return [...four, ...six].filter((address) => address !== '0.0.0.0' && address !== '::')
}

/**
 * Warns if every source of a family is the host's own gateway. Forwarders that replace the source,
 * such as those of containers without root, give all clients that address, so that one grant lets
 * all of them in. A table whose only user is anywhere else gets no warning.
 *
 * @param netns - as in `Nft`; undefined: nothing is known of the host.
 */
export async function sourceWarnings(
  sources: ReadonlySet<string>,
  netns: string | undefined,
): Promise<Warning[]> {
  const families = [false, true].map((isIpv6) =>
    [...sources].filter((source) => source.includes(':') === isIpv6),
  )
  const single = families.flatMap((own) => (own.length === 1 ? own : []))
  if (single.length === 0 || netns === undefined) return []
  const [four, six] = await Promise.all(PATHS.map((path) => readIn(netns, path)))
  const gateways = parseGateways(four ?? '', six ?? '', endianness() === 'LE')
  return single
    .filter((source) => gateways.includes(source))
    .map((source) => ({
      id: 'one-source',
      path: '/doors',
      message:
        `all grants, attempts and bans are of ${source}, which is this host's own gateway: ` +
        'if it forwards with a source of its own, as containers without root do, one grant lets ' +
        'everybody in; put the doors where the sources are still seen',
    }))
}

/** Empty if it cannot be read. */
async function readIn(netns: string, path: string): Promise<string> {
  if (netns === '') return readFile(path, 'utf8').catch(() => '')
  const place = netns.includes('/') ? netns : `/run/netns/${netns}`
  const run = promisify(execFile)
  const options = { timeout: 10_000, maxBuffer: 2 ** 24 }
  return run('nsenter', [`--net=${place}`, '--', 'cat', path], options).then(
    ({ stdout }) => stdout,
    () => '',
  )
}
