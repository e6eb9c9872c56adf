// The names and type of warnings about a spec on this host. Pure.
import type { Warning } from '../text/warning.js'

const OF_HOST = [
  ...(['host-not-seen', 'not-forwarding', 'only-loopback'] as const),
  ...(['interface-missing', 'interface-alternative'] as const),
  ...(['interface-enslaved', 'interface-without-address'] as const),
  ...(['address-elsewhere', 'address-own', 'address-bridged'] as const),
] as const

/** A warning that depends on the host's network and can come and go. */
export interface HostWarning extends Warning {
  readonly id: (typeof OF_HOST)[number]
}

/** A warning before its place in the spec is known. */
export type Found = Omit<HostWarning, 'path'>

/** Whether a warning depends on the host's network. */
export const isOfHost = (warning: Warning): warning is HostWarning =>
  (OF_HOST as readonly string[]).includes(warning.id)
