// The output of `ip -j -d address` → interfaces. Pure.
import type { Interface } from './host.js'

interface Listed {
  readonly ifname: string
  readonly altnames?: readonly string[]
  readonly flags?: readonly string[]
  readonly master?: string
  readonly link?: string
  readonly linkinfo?: { readonly info_kind?: string }
  readonly addr_info?: readonly { readonly local?: string; readonly scope?: string }[]
}

const isListed = (value: unknown): value is Listed =>
  typeof value === 'object' &&
  value !== null &&
  'ifname' in value &&
  typeof value.ifname === 'string'

/**
 * Reads what `ip` printed.
 *
 * @throws SyntaxError if it is not JSON: busybox's `ip` prints text.
 */
export function parseIpListing(text: string): Interface[] {
  const parsed: unknown = JSON.parse(text)
  const listed = Array.isArray(parsed) ? parsed.filter(isListed) : []
  const kinds = new Map(listed.map(({ ifname, linkinfo }) => [ifname, linkinfo?.info_kind]))
  return listed.map(
    ({ ifname, altnames = [], flags = [], master, link, linkinfo, addr_info = [] }) => {
      const masterKind = master === undefined ? undefined : kinds.get(master)
      return {
        name: ifname,
        alternatives: altnames,
        isUp: flags.includes('UP'),
        addresses: addr_info.flatMap(({ local, scope }) =>
          local === undefined || scope === 'link' ? [] : [local],
        ),
        ...(linkinfo?.info_kind !== undefined && { kind: linkinfo.info_kind }),
        ...(master !== undefined && {
          master: { name: master, ...(masterKind !== undefined && { kind: masterKind }) },
        }),
        // `link` is also a veth's other end, or may name an interface of another namespace.
        ...(link !== undefined &&
          kinds.has(link) &&
          linkinfo?.info_kind !== 'veth' && { lower: link }),
      }
    },
  )
}
